import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  isPnUser,
  jidNormalizedUser,
} from '@whiskeysockets/baileys';
import { isVisible } from '../app-state/visibility.js';
import type { Feature } from '../server/feature.js';
import type { SimulatorContext } from '../server/simulator-context.js';
import type { Account, Device } from '../world/account.js';

/** A user whom a client asks for. */
interface AskedUser {
  /** As the client named the user: by PN or by LID. */
  readonly jid: string;
  /** The number that the client asked for, if it did, as it was written. */
  readonly asked: string | undefined;
  readonly phone: Account;
  readonly asker: Device;
  readonly simulator: SimulatorContext;
}

/** A protocol's answer for one user. */
type Protocol = (user: AskedUser) => BinaryNode | undefined;

/**
 * The protocols that clients ask for. `lid` is answered for users who were named by their number only: an answer
 * for a LID makes Baileys map that LID to itself.
 */
const protocols: Readonly<Record<string, Protocol>> = {
  contact: ({ asked }) => contactNode('in', asked),
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
  status: ({ phone, asker, simulator }) =>
    isVisible(simulator, phone, { category: 'status', viewer: asker.phone })
      ? { tag: 'status', attrs: { t: String(phone.aboutSetAt) }, content: Buffer.from(phone.about) }
      : { tag: 'status', attrs: { code: '401', type: 'fail' } },
  disappearing_mode: ({ phone: { disappearingMode: mode } }) => ({
    tag: 'disappearing_mode',
    attrs: { duration: String(mode.duration), t: String(mode.setAt) },
  }),
};

/** Looks up the number, LID and devices of people. */
export const usyncFeature: Feature = {
  iqs: {
    'get:usync': (iq, { simulator, device }) => {
      const usync = getBinaryNodeChild(iq, 'usync');
      const query = getBinaryNodeChild(usync, 'query');
      const wanted = Array.isArray(query?.content) ? query.content.map(({ tag }) => tag) : [];
      const users = getBinaryNodeChildren(getBinaryNodeChild(usync, 'list'), 'user');
      const content = users.flatMap((user) => answerUser(user, wanted, simulator, device));
      return [{ tag: 'usync', attrs: { ...usync?.attrs }, content: [{ tag: 'list', attrs: {}, content }] }];
    },
  },
};

function answerUser(
  user: BinaryNode,
  wanted: readonly string[],
  simulator: SimulatorContext,
  asker: Device,
): BinaryNode[] {
  const { world } = simulator;
  const asked = user.attrs.jid;
  const contact = getBinaryNodeChild(user, 'contact');
  const written = contact?.content?.toString();
  const number = written?.replace(/\D/g, '');
  const username = contact?.attrs.username;
  const phone = asked
    ? world.phone(asked)
    : number
      ? (world.phoneByPublicNumber(number) ?? world.phoneByPublicNumber(withoutMobilePrefix(number)))
      : username && world.phoneByUsername(username);
  if (!phone) {
    if (!number) return [];
    return [
      {
        tag: 'user',
        attrs: { jid: `${number}@s.whatsapp.net` },
        content: [contactNode('out', written)],
      },
    ];
  }
  const jid = asked ? jidNormalizedUser(asked) : number ? phone.jid : phone.lid;
  const content = wanted.flatMap(
    (name) => protocols[name]?.({ jid, asked: written, phone, asker, simulator }) ?? [],
  );
  return [{ tag: 'user', attrs: { jid }, content }];
}

/** The number stands in the answer as the client wrote it: the person may have another one. */
function contactNode(type: 'in' | 'out', asked: string | undefined): BinaryNode {
  return { tag: 'contact', attrs: { type }, ...(asked === undefined ? {} : { content: Buffer.from(asked) }) };
}

/** Mobile numbers of Mexico were written with a 1 after the country code. WhatsApp finds them in both forms. */
function withoutMobilePrefix(number: string): string {
  return number.replace(/^521(?=\d{10}$)/, '52');
}
