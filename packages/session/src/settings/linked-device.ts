import type { SessionSettings } from '@wafleet/contract';

type Platform = SessionSettings['device']['platform'];

/** Baileys derives the icon from this name, and for a pairing code the kind of client. */
const BROWSERS: Readonly<Record<Platform, string>> = {
  chrome: 'Chrome',
  edge: 'Edge',
  firefox: 'Firefox',
  opera: 'Opera',
  safari: 'Safari',
  desktop: 'Desktop',
};

/** What a client says of itself when it is linked, in the form of Baileys: the name, the icon, and an unused version. */
export function browserOf({ device }: SessionSettings): [string, string, string] {
  return [device.name, BROWSERS[device.platform], ''];
}

/** Whether a client would say something else of itself, or ask the phone for another history, when it is linked. */
export function changesLink(before: SessionSettings, now: SessionSettings): boolean {
  const wasFull = before.history === 'full';
  return browserOf(before).join() !== browserOf(now).join() || wasFull !== (now.history === 'full');
}
