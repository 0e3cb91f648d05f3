import type { SeededRandom } from '../seeded-random.js';

/** Values that break programs which expect something else. */
const TEXTS = [
  '',
  ' ',
  '0',
  '-1',
  '1e999',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '../../etc/passwd',
  '%00',
  '%2e%2e%2f',
  '%zz',
  '\u0000',
  '\ud800',
  '\u202e\u0301',
  '{{7*7}}',
  "' OR '1'='1",
  '*',
  '*,*,*',
  '[object Object]',
  'wf:{x}:session:p1',
  '\r\nX-Injected: 1',
  'edge_000000000000.AAAAAAAAAAAAAAAAAAAA',
  '9007199254740993-9007199254740993',
  'x'.repeat(300),
  'é'.repeat(5_000),
];

export function hostileText(random: SeededRandom): string {
  if (random.below(4) > 0) return random.oneOf(TEXTS);
  return randomBytesOf(random, random.below(200)).toString('latin1');
}

/** Any JSON value, either a few levels deep or so deep that a recursive parser has to give up. */
export function hostileJson(random: SeededRandom, depth = 0): unknown {
  switch (random.below(depth > 3 ? 6 : 9)) {
    case 0:
      return null;
    case 1:
      return random.below(2) === 0;
    case 2:
      return random.oneOf([0, -1, 1.5, 2 ** 53, -(2 ** 31), 1e308, 5e-324]);
    case 3:
    case 4:
    case 5:
      return hostileText(random);
    case 6:
      return Array.from({ length: random.below(5) }, () => hostileJson(random, depth + 1));
    case 7:
      return JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`);
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(5) }, () => [hostileText(random), hostileJson(random, depth + 1)]),
      );
  }
}

export function randomBytesOf(random: SeededRandom, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

/** The bytes, with a few of them changed, removed, doubled, swapped or inserted. */
export function damaged(random: SeededRandom, bytes: Buffer): Buffer {
  let result = bytes;
  for (let times = 1 + random.below(4); times > 0; times -= 1) {
    const at = random.below(result.length + 1);
    const [head, tail] = [result.subarray(0, at), result.subarray(at)];
    const parts = [
      () => [head, randomBytesOf(random, 1), tail.subarray(1)],
      () => [head, tail.subarray(1 + random.below(20))],
      () => [head, tail.subarray(0, 40), tail],
      () => [tail, head],
      () => [head, randomBytesOf(random, random.below(60)), tail],
      () => [head, Buffer.from(hostileText(random)), tail],
      () => [head],
    ];
    result = Buffer.concat(random.oneOf(parts)());
  }
  return result;
}
