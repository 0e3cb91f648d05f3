import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Folder, PlainBaileys } from '@wafleet/session-bundle/testing';
import type { Group, Phone, Simulator } from '@wafleet/simulator';
import { type EventCollector, waitFor } from '@wafleet/testkit';
import { ReceivedMessages } from './received-messages.js';
import { noteCredential } from './secret-search/given-secrets.js';

/** A session that plain Baileys linked and used, and that was stopped: what people move. */
export class MovedSession {
  readonly owner: Phone;
  /** A person with whom the session has written. */
  readonly peer: Phone;
  readonly group: Group;
  /** The device of the account that the link made. */
  readonly deviceId: number;
  readonly source: PlainBaileys;
  files: Folder = {};

  private constructor(owner: Phone, peer: Phone, group: Group, deviceId: number, source: PlainBaileys) {
    this.owner = owner;
    this.peer = peer;
    this.group = group;
    this.deviceId = deviceId;
    this.source = source;
  }

  static async make(simulator: Simulator, name: string): Promise<MovedSession> {
    const source = new PlainBaileys(simulator, await mkdtemp(join(tmpdir(), 'wafleet-moved-')));
    const owner = simulator.addPhone({ name });
    const peer = simulator.addPhone({ name: `A peer of ${name}` });
    await source.link(owner);
    const [deviceId] = owner.devices.keys();
    if (deviceId === undefined) throw new Error(`${name} has no device`);
    await peer.send(owner, 'before');
    await source.receive('before');
    await source.sock.sendMessage(peer.jid, { text: 'also before' });
    await peer.waitForMessage(({ message }) => textOf(message) === 'also before');
    const group = peer.createGroup('Team', [owner]);
    await peer.send(group, 'before in the group');
    await source.receive('before in the group');
    await source.sock.sendMessage(group.jid, { text: 'also before in the group' });
    await source.end();
    const moved = new MovedSession(owner, peer, group, deviceId, source);
    moved.files = await source.files();
    moved.#noteSecrets();
    return moved;
  }

  /**
   * Checks that a session of the cluster goes on with this one: the peer's next messages are decrypted without asking
   * for them again, the session writes to the peer, and the phone lists the same device, and no other one.
   */
  async expectToGoOn(
    events: EventCollector,
    send: (to: string, text: string) => Promise<unknown>,
    mark: string,
  ): Promise<string[]> {
    const received = new ReceivedMessages(events);
    const direct = await this.peer.send(this.owner, `${mark} direct`);
    const inGroup = await this.peer.send(this.group, `${mark} in the group`);
    for (const { id } of [direct, inGroup]) {
      await waitFor(() => received.has(id), { what: `message ${id} of ${mark}`, timeoutMs: 30_000 });
    }
    await send(this.peer.number, `${mark} sent`);
    await this.peer.waitForMessage(({ message }) => textOf(message) === `${mark} sent`);
    await send(this.group.jid, `${mark} sent to the group`);
    await this.peer.waitForMessage(({ message }) => textOf(message) === `${mark} sent to the group`);
    const notices = [direct, inGroup].filter(({ id }) => received.of(id).notices > 0);
    const [device, ...others] = this.owner.devices.keys();
    return [
      ...notices.map(({ id }) => `message ${id} was not decrypted at once`),
      ...(device === this.deviceId ? [] : [`the device is ${device}, not ${this.deviceId}`]),
      ...others.map((other) => `there is a device ${other}`),
    ];
  }

  async end(): Promise<void> {
    await this.source.end();
    await rm(this.source.folder, { recursive: true, force: true });
  }

  #noteSecrets(): void {
    for (const [file, text] of Object.entries(this.files)) {
      const [, type = 'creds'] =
        /^(pre-key|session|sender-key(?!-memory)|app-state-sync-key)-/.exec(file) ?? [];
      if (type === 'creds' && file !== 'creds.json') continue;
      noteCredential(type === 'creds' ? type : `${type}:x`, JSON.parse(text, reviveBuffer), this.owner.name);
    }
  }
}

/** Bytes as Baileys writes them. */
function reviveBuffer(_name: string, value: unknown): unknown {
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
  return isBuffer && 'data' in value ? Buffer.from(String(value.data), 'base64') : value;
}

function textOf(message: {
  conversation?: string | null;
  extendedTextMessage?: { text?: string | null } | null;
}) {
  return message.conversation ?? message.extendedTextMessage?.text;
}
