import { linkReadyCompanion, Simulator } from '@wafleet/simulator';
import { BufferJSON } from '@whiskeysockets/baileys';
import type { Folder } from './written-formats.js';

/** The files of a session that can be imported, of an account that no other call has. Made without a connection. */
export function readyFiles(): Folder {
  const phone = new Simulator().addPhone({ name: 'Somebody', number: freeNumber() });
  const { creds, preKeys } = linkReadyCompanion(phone, { preKeyCount: 2 });
  const records = Object.entries(preKeys).map(([id, pair]) => [`pre-key-${id}.json`, pair] as const);
  const files = [['creds.json', creds] as const, ...records];
  return Object.fromEntries(files.map(([name, value]) => [name, JSON.stringify(value, BufferJSON.replacer)]));
}

let numbers = 0;

function freeNumber(): string {
  numbers += 1;
  return String(15_559_000_000 + numbers);
}
