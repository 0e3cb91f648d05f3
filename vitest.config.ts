import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

/**
 * Tests import the workspace's sources, so that a unit test needs no build; scenarios start built processes.
 * `import` must not stand here: vitest passes the list to Node, whose `require` would then get the ESM build of
 * `long`, without which protobufjs reads 64-bit fields as numbers, unlike in production.
 */
const conditions = ['wafleet:source', 'node'];

/**
 * Unit tests that change or watch the process that they run in: each file has a process of its own. They start first,
 * since vitest sorts projects by name: one of them is the longest of all.
 */
const OWN_PROCESS = [
  // Some look at Baileys' libraries as they are before `installPatches`, which cannot be undone.
  'packages/session/src/baileys/patches/**/*.test.ts',
  // They look for errors that nothing catches, for warnings, or for garbage.
  'apps/edge/src/hostile-connections.test.ts',
  'apps/edge/src/fanout/socket-writer.test.ts',
  'packages/store/src/redis/redis-refusal.test.ts',
];

const unit = {
  testTimeout: 90_000,
  hookTimeout: 60_000,
  // Tests wait more than they compute.
  maxWorkers: 2 * availableParallelism(),
};

const scenarios = {
  setupFiles: ['scenarios/support/secret-search/whole-run.ts'],
  // Each starts several processes, and waits for most of its time.
  maxWorkers: 2,
};

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          ...unit,
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/*/src/**/*.test.ts',
            'benchmarks/src/**/*.test.ts',
            'scripts/**/*.test.ts',
            'scenarios/support/**/*.test.ts',
          ],
          exclude: [...configDefaults.exclude, ...OWN_PROCESS],
          // To load Baileys, zod and the like takes about as long as the tests: a process does it once, for many files.
          // So a file must leave nothing behind that another one can notice.
          isolate: false,
        },
      },
      {
        extends: true,
        test: { ...unit, name: 'own-process', include: OWN_PROCESS },
      },
      {
        extends: true,
        test: {
          ...scenarios,
          name: 'scenarios',
          include: ['scenarios/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // Projects with another number of workers must not run at the same time.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...scenarios,
          name: 'slow-scenarios',
          include: ['scenarios/slow/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
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
