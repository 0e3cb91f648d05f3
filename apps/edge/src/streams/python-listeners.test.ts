import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { waitFor } from '@wafleet/testkit';
import { expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';

/** The first Python of this machine that has python-socketio; Debian's own before one that hides it. */
const python = ['/usr/bin/python3', 'python3'].find(
  (each) => spawnSync(each, ['-c', 'import socketio, requests'], { stdio: 'ignore' }).status === 0,
);

const fixture = useEdges();

/** The program of docs/events.md, for this edge, with a slow first listener. */
function program(): string {
  const text = readFileSync(new URL('../../../../docs/events.md', import.meta.url), 'utf8');
  const [, code = ''] = /^```python\n(.*?)^```/ms.exec(text) ?? [];
  const slow = "    import time\n    time.sleep(0.5 if event['id'].startswith('1@') else 0)\n";
  return code
    .replaceAll('messages.upsert', 'presence.update')
    .replace('http://localhost:3000', fixture.edge.url)
    .replace('your-api-key', fixture.tenant.key)
    .replace(/^(def on_messages.*\n)/m, `$1${slow}`)
    .replace(/print\(.*\)/, "print(event['id'], flush=True)")
    .replace(/(sio\.emit\('subscribe', .*)\)$/m, "$1, callback=lambda ack: print('subscribed', flush=True))");
}

// A bare machine may lack python-socketio; the test then counts as skipped.
it.skipIf(python === undefined)('the Python program of the documentation sees events in order', async () => {
  let output = '';
  const child: ChildProcess = spawn(python ?? 'python3', ['-c', program()]);
  fixture.keep({ close: () => child.kill('SIGKILL') });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  await waitFor(() => output.includes('subscribed\n'), { what: 'it has subscribed' });
  const ids = await fixture.publish(200);
  const lines = () => output.split('\n').slice(1, -1);
  await waitFor(() => lines().length >= ids.length, { what: 'its listeners were called' });
  expect(lines()).toEqual(ids);
});
