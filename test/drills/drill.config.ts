/** `npm run drill:versions`: what is too long for `npm test`. */
import { defineConfig } from 'vitest/config';
import { isolateEnvironment } from '../support/environment.ts';

isolateEnvironment();

export default defineConfig({
  test: {
    include: ['test/drills/*.drill.ts'],
    globalSetup: 'test/support/global-setup.ts',
    setupFiles: 'test/support/quiet-runtime.ts',
    testTimeout: 600_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
