import { defineConfig } from 'vitest/config';

/**
 * Tests import the workspace's sources, so that a unit test needs no build; scenarios start built processes.
 * `import` must not stand here: vitest passes the list to Node, whose `require` would then get the ESM build of
 * `long`, without which protobufjs reads 64-bit fields as numbers, unlike in production.
 */
const conditions = ['wafleet:source', 'node'];

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    // Tests wait more than they compute: a core to spare, vitest's default, would halve the pace of a small machine.
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/*/src/**/*.test.ts',
            'benchmarks/src/**/*.test.ts',
            'scripts/**/*.test.ts',
            'scenarios/support/**/*.test.ts',
          ],
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'scenarios',
          include: ['scenarios/*.test.ts'],
          setupFiles: ['scenarios/support/secret-search/whole-run.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'slow-scenarios',
          include: ['scenarios/slow/*.test.ts'],
          setupFiles: ['scenarios/support/secret-search/whole-run.ts'],
          testTimeout: 600_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'soak',
          include: ['scenarios/soak/*.test.ts'],
          fileParallelism: false,
          // The progress of an hour is to be seen while it runs.
          disableConsoleIntercept: true,
        },
      },
    ],
  },
});
