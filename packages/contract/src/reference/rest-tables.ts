import { REST_CALLS, type RestCall, type Tag, takesIdempotencyKey } from '../commands/index.js';

const TITLES: Readonly<Record<Tag, string>> = {
  sessions: 'Sessions',
  linking: 'Linking a phone',
  moving: 'Moving sessions in and out',
  messages: 'Messages',
  jobs: 'Messages in bulk and later',
  contacts: 'Contacts',
  chats: 'Chats and labels',
  profile: 'Profile and privacy',
  groups: 'Groups',
  channels: 'Channels',
  business: 'Business accounts',
  events: 'Events',
  usage: 'Usage',
  administration: 'Administration',
};

/** What is needed for calls that need no scope. */
const NEEDS: Readonly<Record<string, string>> = {
  admin: 'the admin token',
  'passkey-link': 'a helper link',
};

type NamedCall = readonly [name: string, call: RestCall];

/** A section with a table for each group of REST calls. */
export function restSections(): string {
  const shown = Object.entries<RestCall>(REST_CALLS).filter(([, { isHidden }]) => isHidden !== true);
  return Object.entries(TITLES)
    .map(([tag, title]) => {
      const calls = shown.filter(([, call]) => call.tag === tag);
      return [`## ${title}`, '', ...table(calls)].join('\n');
    })
    .join('\n\n');
}

function table(calls: readonly NamedCall[]): string[] {
  return [
    '| call | what it does | needs | units | once | errors |',
    '|---|---|---|---|---|---|',
    ...calls.map(row),
  ];
}

function row([, call]: NamedCall): string {
  const { route, summary, access, cost, errors } = call;
  const needs = NEEDS[access] ?? `\`${access}\``;
  const units = access === 'admin' ? '' : String(typeof cost === 'number' ? cost : cost.text);
  const codes = errors.map((code) => `\`${code}\``).join(', ');
  const once = takesIdempotencyKey(call) ? 'yes' : '';
  return `| \`${route}\` | ${summary} | ${needs} | ${units} | ${once} | ${codes} |`;
}
