import { describe, expect, it } from 'vitest';
import { Cipher, SealedValueError } from './cipher.js';
import { sealForWorkers, WorkerBoxes } from './worker-box.js';

const keyA = '0a'.repeat(32);
const keyB = '0b'.repeat(32);
const plain = Buffer.from('a secret');
const boxesOf = (keys: string) => new WorkerBoxes(Cipher.fromHexKeys(keys));

describe('a box for workers', () => {
  it('opens for workers with the key, in its place', () => {
    const box = sealForWorkers(boxesOf(keyA).publicKey, plain, 'here');
    expect(boxesOf(keyA).open(box, 'here')).toEqual(plain);
    expect(box.includes(plain)).toBe(false);
  });

  it('opens while the key is being changed', () => {
    const box = sealForWorkers(boxesOf(keyA).publicKey, plain, 'here');
    expect(boxesOf(`${keyB},${keyA}`).open(box, 'here')).toEqual(plain);
  });

  it('opens nowhere else, for no other key, and not if a byte was changed', () => {
    const box = sealForWorkers(boxesOf(keyA).publicKey, plain, 'here');
    expect(() => boxesOf(keyA).open(box, 'there')).toThrow(SealedValueError);
    expect(() => boxesOf(keyB).open(box, 'here')).toThrow(SealedValueError);
    for (let at = 0; at < box.length; at += 1) {
      const changed = Buffer.from(box);
      changed[at] = changed.readUInt8(at) ^ 1;
      expect(() => boxesOf(keyA).open(changed, 'here')).toThrow(SealedValueError);
    }
    expect(() => boxesOf(keyA).open(Buffer.alloc(3), 'here')).toThrow(SealedValueError);
  });

  it('is different each time', () => {
    const { publicKey } = boxesOf(keyA);
    expect(sealForWorkers(publicKey, plain, 'here')).not.toEqual(sealForWorkers(publicKey, plain, 'here'));
    expect(() => sealForWorkers(Buffer.alloc(3), plain, 'here')).toThrow(TypeError);
  });
});
