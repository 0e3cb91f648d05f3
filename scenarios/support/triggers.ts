import {
  type Call,
  deliverReceipt,
  type Group,
  markDirty,
  type Phone,
  type SentMessage,
  setDisappearingMode,
  sharePrivacyToken,
  statusBroadcast,
} from '@wafleet/simulator';
import type { Cluster, TestTenant } from '@wafleet/testkit';
import type { DrivenWorker } from './driven-worker.js';
import type { RecordedComparison } from './recorded-payloads.js';

export interface Cast {
  readonly alice: Phone;
  readonly carl: Phone;
  readonly dora: Phone;
  readonly nina: Phone;
}

/** The people of the recording, with the same numbers. */
export function addCast({ simulator }: Cluster): Cast {
  return {
    alice: simulator.addPhone({ name: 'Alice', number: '15550001001' }),
    carl: simulator.addPhone({ name: 'Carl', number: '15551230001' }),
    dora: simulator.addPhone({ name: 'Dora', number: '15551230002' }),
    nina: simulator.addPhone({ name: 'Nina', number: '15551230009' }),
  };
}

/** The user parts of the recording's LIDs, and of the LIDs that the simulator gives to the same numbers. */
export function peopleOf({ alice, carl, dora, nina }: Cast): readonly (readonly [string, string])[] {
  return [
    ['107411253299441', alice.lidUser],
    ['106825993066104', carl.lidUser],
    ['114163061586523', dora.lidUser],
    ['107483406910855', nina.lidUser],
  ];
}

/** A value that an earlier trigger created. Throws if it was not driven. */
function made<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('an earlier trigger has not been driven');
  return part;
}

const TEAM = '120363061982759618@g.us';
const SENT = '3EB0DD047495B6A92FF673';
const SENT_TO_GROUP = '3EB0D1EC4DF6B919022C3D';

export interface RecordedTriggers {
  /** The actions, by the trigger's name in the recording. */
  readonly drive: Readonly<Record<string, () => unknown>>;
  /** Actions that must come before. Each resolves to the number of items that it causes. */
  readonly prepare: Readonly<Record<string, () => Promise<number> | number>>;
}

/**
 * Repeats the actions of the recording: by people with their phones, by the service if it has a call for it, otherwise
 * by the session's socket. Binds what a trigger creates to its id in the recording.
 */
export function recordedTriggers(options: {
  cluster: Cluster;
  cast: Cast;
  tenant: TestTenant;
  sessionId: string;
  worker: DrivenWorker;
  comparison: RecordedComparison;
}): RecordedTriggers {
  const { cluster, cast, tenant, sessionId, worker, comparison } = options;
  const { simulator } = cluster;
  const { alice, carl, dora, nina } = cast;
  const { settings } = alice;
  let first: SentMessage | undefined;
  let team: Group | undefined;
  let call: Call | undefined;
  const device = () => made([...alice.devices.values()][0]);
  const ownKey = () => ({ remoteJid: carl.jid, fromMe: true, id: comparison.boundTo(SENT) });
  // What was recorded was sent without a timer, to a group that has one too.
  const text = async (to: string, content: string, recordedId: string) => {
    const { messageId } = await tenant.client.call('send-message', {
      params: { id: sessionId },
      body: { to, text: content, disappearing: 0 },
    });
    comparison.bind(recordedId, messageId);
  };

  const drive: RecordedTriggers['drive'] = {
    'text (lid)': async () => {
      first = await carl.send(alice, 'hi');
      comparison.bind('M1', first.id);
    },
    'reaction add': () => carl.react(made(first), '👍'),
    'reaction remove': () => carl.react(made(first), ''),
    edit: () => carl.edit(made(first), 'hi (edited)'),
    'edit (editedMessage wrapper)': () => carl.edit(made(first), 'hi (edited 2)', { wrapped: true }),
    'revoke (delete for everyone)': () => carl.revoke(made(first)),
    'ephemeral setting 1:1': () =>
      carl.send(alice, { protocolMessage: { type: 3, ephemeralExpiration: 86_400 } }),
    'image (no download)': () =>
      carl.send(alice, {
        imageMessage: {
          url: 'https://mmg.whatsapp.net/x',
          mimetype: 'image/jpeg',
          caption: 'cap',
          fileSha256: Buffer.alloc(32, 1),
          fileLength: 10,
          mediaKey: Buffer.alloc(32, 2),
          fileEncSha256: Buffer.alloc(32, 3),
          directPath: '/v/x',
        },
      }),
    'own-phone message (fromMe)': () => alice.send(carl, 'from my phone'),
    'delete for me (app state)': () =>
      settings.deleteMessageForMe({ chat: carl, id: comparison.boundTo('OWN1'), fromMe: true }),
    'clear chat (app state)': () => settings.clearChat(carl),
    'delete chat (app state)': () => settings.deleteChat(carl),
    archive: () => settings.archiveChat(carl),
    mute: () => {
      const until = Date.now() + 3_600_000;
      comparison.bindTime(1795330447615, until);
      return settings.muteChat(carl, until);
    },
    unmute: () => settings.muteChat(carl, null),
    pin: () => settings.pinChat(carl),
    'mark read': () => settings.markChatRead(carl),
    'mark unread': () => settings.markChatRead(carl, false),
    star: () => settings.starMessage({ chat: carl, id: made(first).id, fromMe: false }),
    'lock chat': () => settings.lockChat(carl),
    'contact saved on phone (PN index)': () => settings.saveContact(carl, 'Carl C'),
    'lid contact saved': () => settings.saveLidContact(dora, 'Dora D'),
    'label edit': () => settings.editLabel('7', { name: 'VIP', color: 3 }),
    'label chat': () => settings.labelChat(carl, '7'),
    'push name setting': () => settings.setPushName('Alice New'),
    'unarchive setting': () => settings.setUnarchiveChats(true),
    'locale setting': () => settings.setLocale('en_US'),
    'picture changed': () => carl.setPicture(Buffer.from('a picture')),
    'blocklist notification': () => alice.block(dora),
    'account disappearing mode': () => setDisappearingMode(alice, 86_400, 1_700_000_000),
    'group created by other': () => {
      team = carl.createGroup('Team', [alice, dora]);
      comparison.bind(TEAM, team.jid);
    },
    'group text': () => carl.send(made(team), 'hello group', { id: 'GM1' }),
    'group reaction': () => dora.react({ id: 'GM1', sender: carl, chat: made(team) }, '🎉', { id: 'GRX' }),
    'group subject': () => made(team).setSubject(carl, 'Team 2'),
    'group description': () => made(team).setDescription(carl, 'desc here'),
    'group announce': () => made(team).configure(carl, { announce: true }),
    'group locked': () => made(team).configure(carl, { restrict: true }),
    'group invite link': () => {
      made(team).revokeInvite(carl);
      comparison.bind('8afc8b07263e1f66', made(team).inviteCode);
    },
    'group ephemeral': () => made(team).configure(carl, { ephemeralSeconds: 604_800 }),
    'group add': () => made(team).add(carl, [nina]),
    'group promote': () => made(team).promote(carl, [dora]),
    'group demote': () => made(team).demote(carl, [dora]),
    'group remove': () => made(team).remove(carl, [nina]),
    'group leave': () => made(team).leave(dora),
    'group picture': () => carl.setPicture(Buffer.from('a picture'), made(team)),
    'join request': () => dora.joinGroup(made(team).inviteCode),
    'member tag': () => made(team).tagMember(carl, 'Boss', 1),
    'we send to group (sender key)': () => text(made(team).jid, 'to the group', SENT_TO_GROUP),
    'group delivery receipt': () =>
      deliverReceipt({
        author: alice,
        reader: carl,
        chat: made(team),
        addressing: 'lid',
        ids: [comparison.boundTo(SENT_TO_GROUP)],
        type: 'delivered',
        timestamp: simulator.now(),
      }),
    'group read receipt': async () => {
      const id = comparison.boundTo(SENT_TO_GROUP);
      await carl.markRead(await carl.waitForMessage((message) => message.id === id));
    },
    'we send to 1:1': () => text(carl.jid, 'x', SENT),
    'read receipt batch': async () => {
      const id = comparison.boundTo(SENT);
      const message = await carl.waitForMessage((each) => each.id === id);
      await carl.markRead(message, { ...message, id: 'OTHER1' });
    },
    'we revoke': () => worker.call('sendMessage', carl.jid, { delete: ownKey() }),
    'we edit': () => worker.call('sendMessage', carl.jid, { text: 'x edited', edit: ownKey() }),
    'we react': () => worker.call('sendMessage', carl.jid, { react: { text: '❤️', key: ownKey() } }),
    'we create group': () => worker.call('groupCreate', 'Mine', [carl.jid, dora.jid]),
    groupFetchAllParticipating: () => worker.call('groupFetchAllParticipating'),
    groupMetadata: () => worker.call('groupMetadata', made(team).jid),
    'dirty groups': () => markDirty(alice, 'groups'),
    'dirty account_sync': () => markDirty(alice, 'account_sync'),
    'presence available': () => {
      carl.setPresence({ type: 'available' });
      carl.setPresence({ type: 'unavailable', lastSeen: simulator.now() });
    },
    'presence unavailable + last': () => carl.setPresence({ type: 'unavailable', lastSeen: 1_700_000_000 }),
    typing: () => carl.showState(alice, 'composing'),
    recording: () => carl.showState(alice, 'recording'),
    paused: () => carl.showState(alice, 'paused'),
    'group typing': () => carl.showState(made(team), 'composing'),
    'call offer': () => {
      call = carl.call(alice, { video: true });
      comparison.bind('3EB0569336507FD5603912', call.id);
    },
    'call accept': () => made(call).accept(),
    'call terminate': () => made(call).terminate(),
    'missed call (terminate timeout)': () => carl.call(alice).timeOut(),
    'reject call': async () => {
      const offered = carl.call(alice);
      comparison.bind('3EB06F93B4E4D90FCD8F2E', offered.id);
      await worker.call('rejectCall', offered.id, carl.lid);
      await offered.settled();
    },
    'on-demand history': async () => {
      for (const [index, recorded] of [1795325877, 1795325876].entries()) {
        const timestamp = simulator.now() - 1000 - index;
        comparison.bindTime(recorded, timestamp);
        const message = { conversation: `older ${index}` };
        alice.history.remember(carl, { id: `OD${index}`, sender: carl, message, timestamp });
      }
      const oldest = { remoteJid: carl.lid, id: made(first).id, fromMe: false };
      const requestId = await worker.call('fetchMessageHistory', 10, oldest, Date.now());
      comparison.bind('3EB0BBA0E41D54AE217217', String(requestId));
    },
    'history RECENT chunk': async () => {
      const message = { conversation: 'recent' };
      alice.history.remember(dora, { id: 'HR1', sender: dora, message, timestamp: 1_700_000_001 });
      await alice.history.share({ kind: 'RECENT', chats: [dora], chunkOrder: 9, progress: 60 });
    },
    'history FULL chunk (default config)': () =>
      alice.history.share({ kind: 'FULL', chats: [dora], chunkOrder: 10, progress: 10 }),
    'client chatModify -> server': () =>
      worker.call('chatModify', { archive: false, lastMessages: [] }, carl.lid),
    'client updateProfileName': () => worker.call('updateProfileName', 'Alice Z'),
    'identity change': () => carl.reinstall(),
    'message after identity change': () => carl.send(alice, 'new phone who dis'),
    'pre-key low': () => device().spendPreKeys(3),
    'devices update': () => {
      const lost = { id: 7, jid: `${carl.number}:7@s.whatsapp.net`, lid: `${carl.lidUser}:7@lid` };
      carl.announce('remove', lost);
    },
    'privacy token': () => sharePrivacyToken(carl, alice),
    'status broadcast': () => dora.send(statusBroadcast, 'my status', { audience: [alice] }),
    'unavailable view-once fanout (acked, not emitted)': () =>
      dora.send(alice, 'once', { unavailable: 'view_once_unavailable_fanout' }),
    'unavailable -> placeholder + PDO resend': async () => {
      const sent = await dora.send(alice, 'resent by phone', { unavailable: 'placeholder' });
      comparison.bind('UN2', sent.id);
      comparison.bindTime(1_700_000_000, sent.timestamp);
    },
  };
  const prepare: RecordedTriggers['prepare'] = {
    'join request': () => {
      // Only admins get requests to join.
      made(team).promote(carl, [alice]);
      made(team).configure(carl, { joinApproval: true });
      return 4;
    },
    'member tag': async () => {
      made(team).configure(carl, { joinApproval: false });
      made(team).demote(carl, [alice]);
      await carl.send(made(team), 'with a new sender key, since a member has left');
      return 7;
    },
    'we send to group (sender key)': () => {
      made(team).configure(carl, { announce: false });
      return 2;
    },
    groupFetchAllParticipating: () => {
      made(team).configure(carl, { announce: true });
      return 2;
    },
    'status broadcast': async () => {
      await dora.send(statusBroadcast, 'a status with the sender key', { audience: [alice] });
      return 3;
    },
  };
  return { drive, prepare };
}
