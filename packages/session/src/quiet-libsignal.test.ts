import { Script } from 'node:vm';
import { expect, it } from 'vitest';
import { quietLibsignal } from './quiet-libsignal.js';

function printFrom(filename: string): void {
  new Script('console.info("a session with its private key")', { filename }).runInThisContext();
}

it('silences what libsignal prints, and nothing else', () => {
  const printed: unknown[] = [];
  Reflect.set(globalThis.console, 'info', (text: unknown) => printed.push(text));
  quietLibsignal();
  printFrom('/app/node_modules/libsignal/src/session_record.js');
  expect(printed).toEqual([]);
  printFrom('/app/node_modules/other/index.js');
  expect(printed).toEqual(['a session with its private key']);
});
