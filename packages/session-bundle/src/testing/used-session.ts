import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Simulator } from '@wafleet/simulator';
import { PlainBaileys } from './plain-baileys.js';
import type { Folder } from './written-formats.js';

/** A session that plain Baileys linked and used: the files of its folder, and who is in it. */
export interface UsedSession {
  readonly files: Folder;
  readonly phone: string;
  readonly groupId: string;
}

/** Links two sessions to phones of a simulator of their own, and has them write with a person and in a group. */
export async function makeUsedSessions(): Promise<readonly [UsedSession, UsedSession]> {
  const simulator = new Simulator();
  await simulator.start();
  try {
    return [await makeUsedSession(simulator, 'Anna'), await makeUsedSession(simulator, 'Bert')];
  } finally {
    await simulator.stop();
  }
}

async function makeUsedSession(simulator: Simulator, name: string): Promise<UsedSession> {
  const folder = await mkdtemp(join(tmpdir(), 'wafleet-baileys-'));
  const client = new PlainBaileys(simulator, folder);
  try {
    const owner = simulator.addPhone({ name });
    const peer = simulator.addPhone({ name: 'A peer' });
    await client.link(owner);
    await peer.send(owner, 'hello');
    await client.receive('hello');
    await client.sock.sendMessage(peer.jid, { text: 'hello to you' });
    const group = peer.createGroup('Team', [owner]);
    await peer.send(group, 'hello all');
    await client.receive('hello all');
    await client.sock.sendMessage(group.jid, { text: 'hello team' });
    await client.end();
    return { files: await client.files(), phone: owner.number, groupId: group.jid };
  } finally {
    await rm(folder, { recursive: true });
  }
}
