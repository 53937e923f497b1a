/** `npm test -- --config test/histories/record.config.ts` */
import { defineConfig } from 'vitest/config';
import { isolateEnvironment } from '../support/environment.ts';

isolateEnvironment();

export default defineConfig({
  test: {
    include: ['test/histories/record.ts'],
    globalSetup: 'test/support/global-setup.ts',
    setupFiles: 'test/support/quiet-runtime.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
