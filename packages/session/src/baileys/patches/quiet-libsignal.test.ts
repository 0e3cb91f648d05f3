import { Console } from 'node:console';
import { PassThrough } from 'node:stream';
import { Script } from 'node:vm';
import { expect, it } from 'vitest';
import { quietLibsignal } from './quiet-libsignal.js';

it('silences what libsignal prints, and nothing else', () => {
  const output = new PassThrough({ encoding: 'utf8' });
  const console = new Console(output);
  const printFrom = (filename: string) => {
    const script = new Script('(console) => console.info("a session with its private key")', { filename });
    script.runInThisContext()(console);
  };
  quietLibsignal(console);
  printFrom('/app/node_modules/libsignal/src/session_record.js');
  expect(output.read()).toBeNull();
  printFrom('/app/node_modules/other/index.js');
  expect(output.read()).toBe('a session with its private key\n');
});
