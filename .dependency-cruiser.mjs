/**
 * The dependency rules, checked on the compiled files: there, imports of types alone are gone, and what is left is what
 * a process loads. That types follow the same rules is seen to by scripts/dependency-rules/manifests.test.ts.
 */
import { LIBRARIES, ROOMS, ROOMS_FOR_TESTS } from './scripts/dependency-rules/rooms.mjs';

const TEST_CODE = '[.]test[.]js$|/dist/testing/';

/** @param {readonly string[]} rooms */
const inside = (rooms) => `^(${rooms.join('|')})/`;

/** @param {string} library */
const installed = (library) => `node_modules/${library}/`;

const everyRoom = Object.keys(ROOMS);

/** @type {import('dependency-cruiser').IConfiguration} */
const configuration = {
  forbidden: [
    {
      name: 'every-room-is-known',
      comment: 'A new package says in scripts/dependency-rules/rooms.mjs what it may import.',
      severity: 'error',
      from: { path: '^(packages|apps|scenarios|benchmarks)/', pathNot: inside(everyRoom) },
      to: {},
    },
    ...everyRoom.flatMap((room) => {
      const others = everyRoom.filter((other) => other !== room);
      /** @param {readonly string[]} allowed */
      const forbiddenTo = (allowed) => others.filter((other) => !allowed.includes(other));
      const allowed = ROOMS[room] ?? [];
      return [
        {
          name: `${room}-imports-one-way`,
          severity: /** @type {const} */ ('error'),
          from: { path: inside([room]), pathNot: TEST_CODE },
          to: { path: inside(forbiddenTo(allowed)) },
        },
        {
          name: `${room}-tests-import-one-way`,
          severity: /** @type {const} */ ('error'),
          from: { path: `${inside([room])}.*(${TEST_CODE})` },
          to: { path: inside(forbiddenTo([...allowed, ...ROOMS_FOR_TESTS])) },
        },
      ];
    }),
    ...LIBRARIES.map(({ library, rooms, because }) => ({
      name: `${library}-in-its-place`,
      comment: because,
      severity: /** @type {const} */ ('error'),
      from: { path: inside(everyRoom), pathNot: `${inside(rooms)}|${TEST_CODE}` },
      to: { path: installed(library) },
    })),
    {
      name: 'edge-and-placer-never-load-baileys',
      comment:
        'Neither directly nor through another package: it costs memory and start time that they have no use for.',
      severity: 'error',
      from: { path: '^apps/(edge|placer)/', pathNot: TEST_CODE },
      to: { path: installed('@whiskeysockets/baileys'), reachable: true },
    },
    {
      name: 'client-runs-in-browsers',
      comment: 'The client and the contract, except the program that writes its reference pages.',
      severity: 'error',
      from: { path: '^packages/(client|contract)/', pathNot: `${TEST_CODE}|/dist/reference/` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'passkey-helper-runs-in-browsers',
      comment:
        'What a browser loads has no library, so that it is small enough to be read before it is trusted.',
      severity: 'error',
      from: { path: '^apps/passkey-helper/dist/', pathNot: `${TEST_CODE}|/dist/packaging/` },
      to: { pathNot: '^apps/passkey-helper/dist/(?!packaging/)' },
    },
    {
      name: 'no-test-code-in-production',
      severity: 'error',
      from: { path: inside(everyRoom), pathNot: `${TEST_CODE}|^scenarios/` },
      to: { path: TEST_CODE },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    moduleSystems: ['es6', 'cjs'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'require'],
      mainFields: ['main'],
    },
  },
};

export default configuration;
