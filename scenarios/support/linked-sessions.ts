import type { Cluster, TestTenant } from '@wafleet/testkit';

/** A person with a phone, played by the simulator. */
export type Phone = ReturnType<Cluster['simulator']['addPhone']>;

/** An open session and the phone that it is linked to. */
export interface LinkedSession {
  readonly id: string;
  readonly phone: Phone;
  /** The companion device that the link created at WhatsApp. A different one means that the phone was linked again. */
  readonly deviceId: number;
}

/** Linking costs both sides hundreds of key pairs, so more at a time would not be faster. */
const LINKED_AT_ONCE = 6;

/** Creates sessions of a tenant (`s001` and so on) and links each to its own phone. Resolves when all are open. */
export async function linkSessions(
  cluster: Cluster,
  { client }: TestTenant,
  count: number,
): Promise<readonly LinkedSession[]> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const linked = new Map<number, LinkedSession>();
  const waiting = numbers.values();
  const linkOneByOne = async () => {
    for (const number of waiting) {
      const id = `s${String(number).padStart(3, '0')}`;
      const phone = cluster.simulator.addPhone({ name: `Person ${number}` });
      await client.call('create-session', { body: { id } });
      await cluster.linkByQr(client, id, phone);
      const [deviceId] = phone.devices.keys();
      if (deviceId === undefined) throw new Error(`${id} is open and its phone has no device`);
      linked.set(number, { id, phone, deviceId });
    }
  };
  await Promise.all(Array.from({ length: LINKED_AT_ONCE }, linkOneByOne));
  return numbers.flatMap((number) => linked.get(number) ?? []);
}

/** The sessions that had to be linked again: their phones no longer have exactly the device of the first link. */
export function linkedAnew(sessions: readonly LinkedSession[]): string[] {
  return sessions
    .filter(({ phone, deviceId }) => phone.devices.size !== 1 || !phone.devices.has(deviceId))
    .map(({ id }) => id);
}

/** The sessions for which WhatsApp saw two connections of the account at a time, and closed the older one. */
export function inConflict(sessions: readonly LinkedSession[]): string[] {
  return sessions
    .filter(({ phone, deviceId }) => phone.devices.get(deviceId)?.loginRecord.conflicts !== 0)
    .map(({ id }) => id);
}
