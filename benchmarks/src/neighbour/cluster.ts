import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { AppProcess, freePort } from '@wafleet/testkit';
import type { Cores } from '../harness/cores.js';
import { cpuTimeOf } from '../harness/cpu-time.js';

const entryOf = (app: 'edge' | 'worker' | 'placer') =>
  fileURLToPath(new URL(`../../../apps/${app}/dist/main.js`, import.meta.url));

/** An edge and where it serves. */
export interface Edge {
  readonly port: number;
  readonly process: AppProcess;
}

export interface ClusterOptions {
  readonly redisUrl: string;
  readonly whatsapp: { readonly url: string; readonly rootKey: string };
  readonly cores: Cores;
  readonly workers: number;
}

/** Two edges, workers and a placer as in a deployment, with the default limits, on the measured cores. */
export class Cluster {
  readonly attackedEdge: Edge;
  readonly otherEdge: Edge;
  readonly #processes: readonly AppProcess[];

  static async start({ redisUrl, whatsapp, cores, workers }: ClusterOptions): Promise<Cluster> {
    const started: AppProcess[] = [];
    const start = async (
      app: 'edge' | 'worker' | 'placer',
      environment: (port: number) => Readonly<Record<string, string>>,
    ): Promise<Edge> => {
      const port = await freePort();
      const process = await AppProcess.start({
        name: app,
        entry: entryOf(app),
        launcher: cores.launcher,
        environment: { REDIS_URL: redisUrl, HOST: '127.0.0.1', ...environment(port) },
        readyUrl: `http://127.0.0.1:${port}/readyz`,
      });
      started.push(process);
      return { port, process };
    };
    const adminToken = randomBytes(16).toString('hex');
    const edge = () => start('edge', (port) => ({ PORT: String(port), ADMIN_TOKEN: adminToken }));
    const encryptionKey = randomBytes(32).toString('hex');
    const worker = () =>
      start('worker', (port) => ({
        HEALTH_PORT: String(port),
        ENCRYPTION_KEY: encryptionKey,
        WHATSAPP_URL: whatsapp.url,
        WHATSAPP_ROOT_KEY: whatsapp.rootKey,
      }));
    try {
      const [attackedEdge, otherEdge] = await Promise.all([
        edge(),
        edge(),
        start('placer', (port) => ({ HEALTH_PORT: String(port), WHATSAPP_URL: whatsapp.url })),
        ...Array.from({ length: workers }, worker),
      ]);
      return new Cluster(attackedEdge, otherEdge, started);
    } catch (error) {
      await Promise.all(started.map((process) => process.kill()));
      throw error;
    }
  }

  private constructor(attackedEdge: Edge, otherEdge: Edge, processes: readonly AppProcess[]) {
    this.attackedEdge = attackedEdge;
    this.otherEdge = otherEdge;
    this.#processes = processes;
  }

  /** CPU time that all processes have used, ms. */
  cpuTime(): number {
    return this.#processes.reduce((sum, { pid }) => sum + cpuTimeOf(pid) / 1_000, 0);
  }

  /** @throws {Error} if one of the processes has ended. */
  requireRunning(): void {
    const ended = this.#processes.find(({ running }) => !running);
    if (ended !== undefined) throw new Error(`a process ended; ${ended.logTail()}`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.kill()));
  }
}
