import { StartError } from '@wafleet/runtime';
import { beforeAll, describe, expect, test } from 'vitest';
import { signalModule } from '../internals.js';
import { loadLibraries } from '../libraries.js';
import { type Libraries, type LibraryName, SHAPES, WRITTEN_FOR } from '../shapes.js';
import { get } from '../untyped.js';
import { installPatches } from './install.js';

const NAMES: readonly LibraryName[] = [
  '@whiskeysockets/baileys',
  'libsignal',
  'curve25519-js',
  'ws',
  'Node.js',
];

let libraries: Libraries;
const original = signalModule().SessionCipher.prototype.queueJob;

beforeAll(() => {
  libraries = loadLibraries();
});

/** Returns an object that has everything of `holder` but what the path leads to. */
function without(holder: unknown, [name = '', ...rest]: readonly string[]): object {
  const value = rest.length === 0 ? undefined : without(get(holder, name), rest);
  return Object.create(Object(holder), { [name]: { value } });
}

/** Returns the libraries as if one of them were another release, which lacks something. */
function lacking(name: LibraryName, shape: string): Libraries {
  const library = libraries[name];
  const path = shape.replace(/\(\)$/, '');
  const names = Object.hasOwn(library.parts, path) ? [path] : path.split('.');
  const [part = '', ...rest] = names;
  const altered = rest.length === 0 ? undefined : without(library.parts[part], rest);
  return {
    ...libraries,
    [name]: { ...library, version: '99.0.0', parts: { ...library.parts, [part]: altered } },
  };
}

function refusalOf(found: Libraries): string {
  try {
    installPatches(() => found);
  } catch (error) {
    if (error instanceof StartError) return error.message;
    throw error;
  }
  return 'it starts';
}

describe('installPatches', () => {
  test.each(NAMES)('refuses a release of %s that lacks any of the shapes that are relied on', (name) => {
    for (const shape of SHAPES[name]) {
      expect(refusalOf(lacking(name, shape))).toBe(
        `${name} 99.0.0 lacks ${shape}; needed is ${WRITTEN_FOR[name]}.`,
      );
    }
  });

  test('refuses in one line that names every library, and what all that is missing has in common', () => {
    const { parts } = libraries['curve25519-js'];
    const found: Libraries = {
      ...lacking('@whiskeysockets/baileys', 'socket.signalRepository'),
      'curve25519-js': { version: '1.0.0', parts: { ...parts, sign: 5 }, failures: ['not\n  found'] },
    };
    expect(refusalOf(found)).toBe(
      '@whiskeysockets/baileys 99.0.0 lacks socket.signalRepository; needed is 7.0.0-rc14. ' +
        'curve25519-js 1.0.0 lacks sign() (not found); needed is 0.0.4.',
    );
  });

  test('patches nothing when it refuses, and everything when nothing is missing', () => {
    refusalOf(lacking('libsignal', 'stored.version'));
    expect(signalModule().SessionCipher.prototype.queueJob).toBe(original);
    expect(refusalOf(libraries)).toBe('it starts');
    expect(signalModule().SessionCipher.prototype.queueJob).not.toBe(original);
  });
});

test('the releases that the sessions are written for are those that are installed', () => {
  expect(Object.keys(libraries).sort()).toEqual([...NAMES].sort());
  for (const name of NAMES.filter((each) => each !== 'Node.js')) {
    expect(libraries[name].version, name).toBe(WRITTEN_FOR[name]);
  }
});
