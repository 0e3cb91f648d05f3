import { toBuffer as drawQr } from 'qrcode';
import { pause } from '../loop.js';
import type { Cast } from './cast.js';

/** An action of people that the session of Ada's account emits as events. */
type Scene = (cast: Cast, signal: AbortSignal, round: number) => Promise<void>;

/** How long people take to react. */
const MOMENT_MS = 1_500;

const LINES = [
  'Lunch at noon?',
  'The train is late again.',
  'Did you see the match?',
  'I found your umbrella.',
  'New release is out!',
  'Call me when you are home.',
];

function line(round: number, offset = 0): string {
  return LINES[(round + offset) % LINES.length] ?? '';
}

/** One of two, in turn. */
function alternate<T>(round: number, odd: T, even: T): T {
  return round % 2 === 1 ? odd : even;
}

/** presence.update, messages.upsert, chats.update; then messages.update. */
const writesAndCorrects: Scene = async ({ ben, ada }, signal, round) => {
  await ben.showState(ada, 'composing');
  await pause(MOMENT_MS, signal);
  const message = await ben.send(ada, line(round));
  await pause(MOMENT_MS, signal);
  await ben.edit(message, `${line(round)} (I mean it.)`);
};

/** messages.reaction */
const reactsInTheGroup: Scene = async ({ ben, cleo, group }, signal, round) => {
  const message = await ben.send(group, line(round, 2));
  await pause(MOMENT_MS, signal);
  await cleo.react(message, alternate(round, '👍', '🎉'));
};

/** messages.delete */
const takesBack: Scene = async ({ dev, ada }, signal) => {
  const message = await dev.send(ada, 'Wrong chat, sorry!');
  await pause(MOMENT_MS, signal);
  await dev.revoke(message);
};

/** call */
const calls: Scene = async ({ dev, ada }, signal, round) => {
  const call = await dev.call(ada, { video: alternate(round, true, false) });
  await pause(2 * MOMENT_MS, signal);
  await call.terminate();
};

/** groups.update */
const renamesTheGroup: Scene = async ({ ada, group }, _signal, round) => {
  await group.change(ada, { subject: alternate(round, 'Weekend in the hills', 'Weekend') });
};

/** group-participants.update */
const changesTheMembers: Scene = async ({ ada, dev, cleo, group }, signal, round) => {
  await group.remove(ada, dev);
  await pause(MOMENT_MS, signal);
  await group.add(ada, dev);
  await (round % 2 === 1 ? group.promote(ada, cleo) : group.demote(ada, cleo));
};

/** groups.upsert, chats.upsert */
const foundsAGroup: Scene = async ({ cleo, ada, ben }, signal, round) => {
  const group = await cleo.createGroup(`Trip ${round}`, [ada, ben]);
  await pause(MOMENT_MS, signal);
  await cleo.send(group, 'Who is in?');
};

/** contacts.upsert */
const savesAContact: Scene = async ({ ada, cleo }, _signal, round) => {
  await ada.saveContact(cleo, alternate(round, 'Cleo from work', 'Cleo'));
};

/** contacts.update */
const changesThePicture: Scene = async ({ ben }, _signal, round) => {
  await ben.setPicture(await drawQr(`Ben, picture ${round}`));
};

/** chats.update */
const archivesAChat: Scene = async ({ ada, dev }, _signal, round) => {
  await ada.changeChat(dev, { archived: alternate(round, true, false) });
};

/** creds.update */
const changesHerName: Scene = async ({ ada }, _signal, round) => {
  await ada.changeProfile({ pushName: alternate(round, 'Ada Lovelace', 'Ada') });
};

/**
 * Together, they cover all events except those of linking. Ada's connection is never lost, so that what a new user sends
 * by her session is always taken.
 */
const SCENES: readonly Scene[] = [
  writesAndCorrects,
  reactsInTheGroup,
  calls,
  renamesTheGroup,
  takesBack,
  savesAContact,
  changesTheMembers,
  changesThePicture,
  archivesAChat,
  foundsAGroup,
  changesHerName,
];

/** Plays the scene after `played` others. The scenes repeat in turn, with small changes from round to round. */
export async function playScene(cast: Cast, signal: AbortSignal, played: number): Promise<void> {
  const scene = SCENES[played % SCENES.length];
  await scene?.(cast, signal, 1 + Math.floor(played / SCENES.length));
}

/** A short message from a friend, to Ada or to the group: the most frequent scene. */
export async function chatter({ ben, cleo, dev, ada, group }: Cast, played: number): Promise<void> {
  const friends = [ben, cleo, dev];
  const friend = friends[played % friends.length];
  await friend?.send(played % 4 === 3 ? group : ada, line(played, 1));
}
