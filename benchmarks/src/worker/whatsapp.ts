import { Program } from '../harness/program.js';
import { type Destination, linkReply, nothing, type Session, startReply, type Writing } from './protocol.js';

/** The simulated WhatsApp of a scenario, in a separate process. */
export class WhatsApp {
  readonly url: string;
  readonly rootKey: string;
  readonly #program: Program;

  static async start(): Promise<WhatsApp> {
    const program = new Program('WhatsApp', new URL('programs/whatsapp.js', import.meta.url), []);
    const { url, rootKey } = await program.call('start', {}, startReply);
    return new WhatsApp(program, url, rootKey);
  }

  private constructor(program: Program, url: string, rootKey: string) {
    this.#program = program;
    this.url = url;
    this.rootKey = rootKey;
  }

  /** Links sessions and stores their credentials at the destination. */
  link(count: number, destination: Destination): Promise<Session[]> {
    return this.#program.call('link', { count, destination }, linkReply);
  }

  /** Sends messages from people to sessions. Resolves when all are acknowledged. */
  async write(writing: Writing): Promise<void> {
    await this.#program.call('write', writing, nothing);
  }

  /** Resolves when people have the messages of the sessions, and the sessions have their receipts. */
  async delivered(writing: Writing): Promise<void> {
    await this.#program.call('delivered', writing, nothing);
  }

  /** Makes the sessions log in again. Resolves when they have. */
  async restart(sessions: readonly string[]): Promise<void> {
    await this.#program.call('restart', { sessions }, nothing);
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}
