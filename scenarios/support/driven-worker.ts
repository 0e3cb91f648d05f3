import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Cluster } from '@wafleet/testkit';

const preload = new URL('../../packages/session/dist/testing/driven/preload.js', import.meta.url);

/** A worker with one session. A test can call methods of its WhatsApp socket that the service does not offer. */
export class DrivenWorker {
  readonly #folder = mkdtempSync(join(tmpdir(), 'wafleet-driven-'));
  readonly #path = join(this.#folder, 'socket');

  /** Adds the worker to the cluster. */
  async join(cluster: Cluster): Promise<void> {
    const url = new URL(preload);
    url.searchParams.set('socket', this.#path);
    await cluster.addWorker({ NODE_OPTIONS: `--import=${url.href}` });
  }

  /** Calls a method of the socket. The arguments must be JSON. Rejects if the method does. */
  async call(method: string, ...args: unknown[]): Promise<unknown> {
    const response = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const sent = request({ socketPath: this.#path, method: 'POST' }, (answer) => {
        text(answer).then((body) => resolve({ status: answer.statusCode, body }), reject);
      });
      sent.on('error', reject);
      sent.end(JSON.stringify({ method, args }));
    });
    const answer: { result?: unknown; error?: string } = JSON.parse(response.body);
    if (response.status !== 200) throw new Error(`${method}: ${answer.error}`);
    return answer.result;
  }

  /** Removes its files. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
