/** Two projects by what a test needs: `unit` needs nothing, `stack` a real Postgres and a real Temporal. */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { isolateEnvironment } from './test/support/environment.ts';

isolateEnvironment();

export default defineConfig({
  test: {
    reporters: ['default'],
    allowOnly: false,
    restoreMocks: true,
    unstubEnvs: true,
    // Nothing is timed, so a busy machine is no reason to fail.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 45_000, interval: 25 } },
    // Vitest leaves one core free; on two that is half of them, while most tests wait for a server.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/architecture/**/*.test.ts'],
          setupFiles: 'test/support/property-seed.ts',
        },
      },
      {
        extends: true,
        test: {
          name: 'stack',
          include: [
            'test/{activities,chaos,contracts,e2e,histories,integration,workflows}/**/*.test.ts',
          ],
          globalSetup: 'test/support/global-setup.ts',
          setupFiles: ['test/support/quiet-runtime.ts', 'test/support/property-seed.ts'],
        },
      },
    ],
  },
});
