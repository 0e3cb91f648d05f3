import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../lib/root.mjs';
import { LIBRARIES, ROOMS, ROOMS_FOR_TESTS } from './rooms.mjs';

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

interface Compilation {
  references?: { path: string }[];
}

const names = new Map(Object.keys(ROOMS).map((room) => [room, read<Manifest>(room, 'package.json').name]));

function read<Shape>(room: string, file: string): Shape {
  return JSON.parse(readFileSync(join(ROOT, room, file), 'utf8'));
}

function ownPackages(dependencies: Record<string, string> | undefined): string[] {
  return Object.keys(dependencies ?? {}).filter((name) => name.startsWith('@wafleet/'));
}

describe.each(Object.entries(ROOMS))('%s', (room, mayImport) => {
  const packages = (rooms: readonly string[]) => rooms.map((name) => names.get(name));

  it('depends on the rooms that it may import, and no others', () => {
    const { dependencies, devDependencies } = read<Manifest>(room, 'package.json');
    expect(packages(mayImport)).toEqual(expect.arrayContaining(ownPackages(dependencies)));
    expect(packages([...mayImport, ...ROOMS_FOR_TESTS])).toEqual(
      expect.arrayContaining(ownPackages(devDependencies)),
    );
  });

  it('is compiled after exactly the rooms that it depends on', () => {
    const { dependencies, devDependencies } = read<Manifest>(room, 'package.json');
    const { references = [] } = read<Compilation>(room, 'tsconfig.json');
    const referenced = references.map(({ path }) => read<Manifest>(join(room, path), 'package.json').name);
    expect(referenced.sort()).toEqual([...ownPackages(dependencies), ...ownPackages(devDependencies)].sort());
  });
});

it('names rooms that exist', () => {
  expect(Object.keys(ROOMS).filter((room) => !existsSync(join(ROOT, room)))).toEqual([]);
});

it('Baileys is a dependency only of the rooms that load it', () => {
  const rooms = Object.keys(ROOMS).filter((room) => {
    const { dependencies = {} } = read<Manifest>(room, 'package.json');
    return '@whiskeysockets/baileys' in dependencies;
  });
  expect(rooms).toEqual(LIBRARIES.find(({ library }) => library === '@whiskeysockets/baileys')?.rooms);
});
