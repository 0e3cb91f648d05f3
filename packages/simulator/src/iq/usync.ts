import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  isPnUser,
  jidNormalizedUser,
} from '@whiskeysockets/baileys';
import type { Feature } from '../server/feature.js';
import type { Account, Device } from '../world/account.js';
import type { World } from '../world/world.js';

/** A protocol's answer for one user, named as the client asked (by PN or by LID). */
type Protocol = (user: { jid: string; phone: Account; asker: Device }) => BinaryNode | undefined;

/**
 * The protocols that clients ask for. `lid` is answered for users who were named by their number only: an answer
 * for a LID makes Baileys map that LID to itself.
 */
const protocols: Readonly<Record<string, Protocol>> = {
  contact: () => ({ tag: 'contact', attrs: { type: 'in' } }),
  devices: ({ phone, asker }) => {
    phone.deviceListReaders.add(asker);
    const companions = [...phone.devices.values()].filter(({ hasKeys }) => hasKeys);
    const devices = companions.map(({ id }) => ({ id: String(id), 'key-index': String(id) }));
    const content = [{ id: '0' }, ...devices].map((attrs) => ({ tag: 'device', attrs }));
    return { tag: 'devices', attrs: {}, content: [{ tag: 'device-list', attrs: {}, content }] };
  },
  lid: ({ jid, phone }) => (isPnUser(jid) ? { tag: 'lid', attrs: { val: phone.lid } } : undefined),
  username: ({ phone }) =>
    phone.username === undefined
      ? undefined
      : { tag: 'username', attrs: {}, content: Buffer.from(phone.username) },
  status: ({ phone }) => ({ tag: 'status', attrs: { t: '0' }, content: Buffer.from(phone.about) }),
  disappearing_mode: () => ({ tag: 'disappearing_mode', attrs: { duration: '0', t: '0' } }),
};

/** Looks up the number, LID and devices of people. */
export const usyncFeature: Feature = {
  iqs: {
    'get:usync': (iq, { simulator, device }) => {
      const usync = getBinaryNodeChild(iq, 'usync');
      const query = getBinaryNodeChild(usync, 'query');
      const wanted = Array.isArray(query?.content) ? query.content.map(({ tag }) => tag) : [];
      const users = getBinaryNodeChildren(getBinaryNodeChild(usync, 'list'), 'user');
      const content = users.flatMap((user) => answerUser(user, wanted, simulator.world, device));
      return [{ tag: 'usync', attrs: { ...usync?.attrs }, content: [{ tag: 'list', attrs: {}, content }] }];
    },
  },
};

function answerUser(user: BinaryNode, wanted: readonly string[], world: World, asker: Device): BinaryNode[] {
  const asked = user.attrs.jid;
  const contact = getBinaryNodeChild(user, 'contact');
  const number = contact?.content?.toString().replace(/\D/g, '');
  const username = contact?.attrs.username;
  const phone = asked
    ? world.phone(asked)
    : number
      ? world.phoneByPublicNumber(number)
      : username && world.phoneByUsername(username);
  if (!phone) {
    if (!number) return [];
    return [
      {
        tag: 'user',
        attrs: { jid: `${number}@s.whatsapp.net` },
        content: [{ tag: 'contact', attrs: { type: 'out' } }],
      },
    ];
  }
  const jid = asked ? jidNormalizedUser(asked) : number ? phone.jid : phone.lid;
  const content = wanted.flatMap((name) => protocols[name]?.({ jid, phone, asker }) ?? []);
  return [{ tag: 'user', attrs: { jid }, content }];
}
