import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from '@whiskeysockets/baileys';
import { setDisappearingMode } from '../notifications/notices.js';
import { IqError } from '../protocol/iq-error.js';
import type { Feature } from '../server/feature.js';
import { unixSeconds } from '../unix-seconds.js';

const AUDIENCES = ['all', 'contacts', 'contact_blacklist', 'none'];

/** The values that each privacy setting can have. */
const PRIVACY_VALUES: Readonly<Record<string, readonly string[]>> = {
  readreceipts: ['all', 'none'],
  last: AUDIENCES,
  online: ['all', 'match_last_seen'],
  profile: AUDIENCES,
  status: AUDIENCES,
  groupadd: AUDIENCES,
  calladd: ['all', 'known'],
  messages: ['all', 'contacts'],
};

/** Number of characters of an about text. */
const LONGEST_ABOUT = 139;
/** What WhatsApp's apps offer, in seconds. */
const DISAPPEARING_DURATIONS: ReadonlySet<number> = new Set([0, 86_400, 604_800, 7_776_000]);

/** Queries around a login that the server must answer but that have no effect, and the account's privacy settings. */
export const accountFeature: Feature = {
  // Clients send keep-alive pings while they show a QR code as well.
  registrationIqs: { 'get:w:p': () => [] },
  iqs: {
    'set:passive': () => [],
    'get:w:p': () => [],
    'undefined:w:stats': () => [],
    'get:abt': () => [{ tag: 'props', attrs: { protocol: '1', hash: 'sim', refresh: '86400' }, content: [] }],
    'set:urn:xmpp:whatsapp:dirty': () => [],
    'set:md:remove-companion-device': (iq, { device, phone }) => {
      const jid = getBinaryNodeChild(iq, 'remove-companion-device')?.attrs.jid;
      const removed = [...phone.devices.values()].find((each) => each.jid === jid) ?? device;
      phone.unlink(removed);
      return [];
    },
    'get:privacy': (_iq, { phone }) => [
      {
        tag: 'privacy',
        attrs: {},
        content: [...phone.privacy].map(([name, value]) => category(name, value)),
      },
    ],
    'set:privacy:privacy': (iq, { phone }) => {
      const changes = getBinaryNodeChildren(getBinaryNodeChild(iq, 'privacy'), 'category');
      const areValid = changes.every(({ attrs: { name = '', value = '' } }) =>
        PRIVACY_VALUES[name]?.includes(value),
      );
      if (!areValid) throw new IqError(400, 'bad-request');
      for (const { attrs } of changes) phone.privacy.set(attrs.name ?? '', attrs.value ?? '');
      return [{ tag: 'privacy', attrs: {}, content: changes }];
    },
    'set:status': (iq, { phone }) => {
      const about = getBinaryNodeChild(iq, 'status')?.content?.toString() ?? '';
      if (about.length > LONGEST_ABOUT) throw new IqError(400, 'bad-request');
      phone.about = about;
      phone.aboutSetAt = unixSeconds();
      return [];
    },
    'set:disappearing_mode': (iq, { phone, device }) => {
      const duration = Number(getBinaryNodeChild(iq, 'disappearing_mode')?.attrs.duration);
      if (!DISAPPEARING_DURATIONS.has(duration)) throw new IqError(400, 'bad-request');
      setDisappearingMode(phone, duration, unixSeconds(), device);
      return [];
    },
  },
};

function category(name: string, value: string): BinaryNode {
  return { tag: 'category', attrs: { name, value } };
}
