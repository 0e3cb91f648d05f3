import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@wafleet/testkit';
import type { Cores } from '../harness/cores.js';
import { Program } from '../harness/program.js';
import type { Contender, Tally } from './contender.js';
import { arrivedReply, nothing, type Session, sendReply, type Writing } from './protocol.js';
import type { WhatsApp } from './whatsapp.js';

/** Plain Baileys: a program that imports only Baileys, with its credentials in files. */
export class Peer implements Contender {
  readonly name = 'peer';
  readonly sessions: Session[] = [];
  readonly tally: Tally = { offered: 0, arrived: 0 };
  readonly inspectorPort: number;
  readonly #program: Program;
  readonly #folder: string;
  readonly #whatsapp: WhatsApp;

  static async start({ whatsapp, cores }: { whatsapp: WhatsApp; cores: Cores }): Promise<Peer> {
    return new Peer(whatsapp, cores, await freePort());
  }

  private constructor(whatsapp: WhatsApp, { launcher }: Cores, inspectorPort: number) {
    this.#whatsapp = whatsapp;
    this.inspectorPort = inspectorPort;
    this.#folder = mkdtempSync(join(tmpdir(), 'wafleet-bench-'));
    const entry = new URL('programs/peer.js', import.meta.url);
    this.#program = new Program('peer', entry, [whatsapp.url, whatsapp.rootKey, this.#folder], {
      launcher,
      nodeOptions: [`--inspect=127.0.0.1:${inspectorPort}`],
      silent: true,
    });
  }

  get pid(): number {
    return this.#program.pid;
  }

  get pids(): readonly number[] {
    return [this.pid];
  }

  async add(count: number): Promise<void> {
    const sessions = await this.#whatsapp.link(count, { kind: 'files', folder: this.#folder });
    await this.#program.call('open', { sessions }, nothing);
    this.sessions.push(...sessions);
  }

  send(writing: Writing): Promise<number[]> {
    return this.#program.call('send', writing, sendReply);
  }

  arrived(label: string, count: number): Promise<number> {
    return this.#program.call('arrived', { label, count }, arrivedReply);
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
