import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CrowdReply, CrowdRequest } from './crowd.js';

const program = fileURLToPath(new URL('../dist/support/crowd.js', import.meta.url));

/** Many clients in a separate process. See support/crowd.ts. */
export class CrowdProcess {
  readonly #child: ChildProcess = fork(program, {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });

  /** Sends one request. Send the next one only after this resolved. */
  async ask(request: CrowdRequest): Promise<CrowdReply> {
    const abort = new AbortController();
    const { signal } = abort;
    this.#child.send(request);
    const ended = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error('the clients’ process has ended');
    });
    try {
      const [reply] = await Promise.race([once(this.#child, 'message', { signal }), ended]);
      return reply as CrowdReply;
    } finally {
      abort.abort();
      await ended.catch(() => {});
    }
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
