/**
 * Which rooms may import which. Imports go one way: contract ← runtime ← store ← session, placement ← apps. The client
 * imports the contract alone. Nothing imports an app, and apps never import each other. Each room lists the rooms that
 * it may import, besides itself.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const ROOMS = {
  'packages/contract': [],
  'packages/client': ['packages/contract'],
  'packages/session-bundle': [],
  'packages/runtime': ['packages/contract'],
  'packages/egress': [],
  'packages/media-tools': ['packages/runtime'],
  'packages/store': ['packages/contract', 'packages/runtime'],
  'packages/session': ['packages/contract', 'packages/egress', 'packages/runtime', 'packages/store'],
  'packages/placement': ['packages/contract', 'packages/runtime', 'packages/store'],
  'packages/local-redis': [],
  'packages/simulator': [],
  'packages/testkit': ['packages/client', 'packages/contract', 'packages/local-redis', 'packages/simulator'],
  'apps/edge': [
    'packages/contract',
    'packages/egress',
    'packages/media-tools',
    'packages/runtime',
    'packages/store',
    'packages/placement',
    'packages/session-bundle',
  ],
  'apps/worker': [
    'packages/contract',
    'packages/egress',
    'packages/runtime',
    'packages/store',
    'packages/session',
    'packages/placement',
    'packages/session-bundle',
  ],
  'apps/placer': ['packages/contract', 'packages/runtime', 'packages/store', 'packages/placement'],
  'apps/move': ['packages/client', 'packages/contract', 'packages/runtime', 'packages/session-bundle'],
  'apps/standalone': [
    'packages/client',
    'packages/contract',
    'packages/egress',
    'packages/local-redis',
    'packages/runtime',
    'packages/simulator',
    'packages/store',
  ],
  'apps/passkey-helper': [],
  // The store, for reading Redis directly, such as the content of the log.
  scenarios: [
    'packages/client',
    'packages/contract',
    'packages/runtime',
    'packages/session-bundle',
    'packages/simulator',
    'packages/store',
    'packages/testkit',
  ],
  // The store, for publishing as a worker does and for linking sessions. Edges and workers are measured from outside.
  // The session, for its fast signatures: with them the simulator's people are as fast as the programs they write to.
  benchmarks: [
    'packages/client',
    'packages/contract',
    'packages/local-redis',
    'packages/runtime',
    'packages/session',
    'packages/simulator',
    'packages/store',
    'packages/testkit',
  ],
};

/** Additional imports for tests, which run against real programs. */
export const ROOMS_FOR_TESTS = [
  'packages/client',
  'packages/local-redis',
  'packages/simulator',
  'packages/testkit',
];

/**
 * The libraries that are a design decision, and the only rooms that may load them.
 *
 * @type {readonly { library: string, rooms: readonly string[], because: string }[]}
 */
export const LIBRARIES = [
  {
    library: '@whiskeysockets/baileys',
    rooms: ['packages/session', 'packages/simulator', 'benchmarks'],
    because:
      'packages/store knows its types only; everything else knows WhatsApp through packages/session, except what it is compared with',
  },
  {
    library: 'bullmq',
    rooms: ['packages/placement'],
    because: 'a job is a placement decision and nothing else',
  },
  {
    library: 'ioredis',
    rooms: ['packages/store', 'benchmarks'],
    because:
      'connections are made by the factory of packages/store; what Wafleet is compared with has its own',
  },
  {
    library: 'socket.io',
    rooms: ['apps/edge', 'benchmarks'],
    because: 'only edges serve Socket.IO, and what they are compared with',
  },
  {
    library: 'sharp',
    rooms: ['packages/media-tools'],
    because: 'pictures of strangers are decoded in a child process with bounds',
  },
  {
    library: 'fastify',
    rooms: ['apps/edge', 'apps/worker', 'apps/placer', 'packages/simulator'],
    because: 'a package that serves HTTP would be an app',
  },
];
