import { MESSAGE_LIMITS } from '@wafleet/contract';
import { parseUrl } from '@wafleet/egress';

const LINK = /https?:\/\/[^\s<>"]+/i;
/** What follows a link in a sentence. */
const AFTER: ReadonlySet<string> = new Set(['.', ',', ';', ':', '!', '?', "'", '’', '”', '»', '…']);
const OPENING: ReadonlyMap<string, string> = new Map([
  [')', '('],
  [']', '['],
  ['}', '{'],
]);

/** The first link of a text, as the text has it. Undefined if there is none, or none that a message may have. */
export function firstLink(text: string): string | undefined {
  const found = LINK.exec(text)?.[0];
  if (found === undefined) return undefined;
  const link = withoutSentence(found);
  return link.length <= MESSAGE_LIMITS.linkCharacters && parseUrl(link) !== undefined ? link : undefined;
}

/** Brackets belong to the sentence if they were opened in front of the link: "(see https://a.example/b)". */
function withoutSentence(found: string): string {
  const counts = new Map<string, number>();
  const count = (character = '') => counts.get(character) ?? 0;
  for (const character of found) counts.set(character, count(character) + 1);
  let end = found.length;
  for (; end > 0; end--) {
    const last = found.charAt(end - 1);
    const opening = OPENING.get(last);
    if (opening === undefined ? !AFTER.has(last) : count(last) <= count(opening)) break;
    counts.set(last, count(last) - 1);
  }
  return found.slice(0, end);
}
