/** Two projects by what a test needs: `unit` needs nothing, `stack` a real Postgres and a real Temporal. */
import { defineConfig } from 'vitest/config';
import { isolateEnvironment } from './test/support/environment.ts';

isolateEnvironment();

export default defineConfig({
  test: {
    reporters: ['default'],
    allowOnly: false,
    restoreMocks: true,
    unstubEnvs: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/architecture/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'stack',
          include: ['test/{activities,contracts,e2e,histories,integration,workflows}/**/*.test.ts'],
          globalSetup: 'test/support/global-setup.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
