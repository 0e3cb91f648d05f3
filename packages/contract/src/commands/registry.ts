import type { z } from 'zod';
import { auditCalls } from './audit.js';
import { businessCommands } from './business.js';
import { callCommands } from './calls.js';
import { channelCommands } from './channels.js';
import { chatCommands, labelCommands } from './chats.js';
import { clientVersionCalls } from './client-version.js';
import { communityCommands } from './communities.js';
import { contactCommands } from './contacts.js';
import type { Command, RestCall } from './definition.js';
import { eventCalls } from './events.js';
import { groupInvitationCommands } from './group-invitations.js';
import { groupParticipantCommands } from './group-participants.js';
import { groupPictureCommands } from './group-pictures.js';
import { groupCommands } from './groups.js';
import { clusterCommands, mediaCommands, settingsCommands } from './internal.js';
import { jobCalls } from './jobs.js';
import { keyCalls } from './keys.js';
import { linkingCalls, linkingCommands } from './linking.js';
import { historyCommands, listCommands } from './lists.js';
import { messageChangeCommands } from './message-changes.js';
import { mediaCalls, messageCommands } from './messages.js';
import { movingCalls } from './moving.js';
import { passkeyCalls, passkeyCommands, passkeyLinkCalls } from './passkeys.js';
import { presenceCommands } from './presence.js';
import { profileCommands } from './profile.js';
import { restrictionCommands } from './restrictions.js';
import { sessionCalls } from './sessions.js';
import { statusCommands } from './statuses.js';
import { tenantCalls } from './tenants.js';
import { uploadCalls } from './uploads.js';
import { usageCalls } from './usage.js';

/** What a session that a worker has executes, by the kind that stands in the message on the bus. */
export const SESSION_COMMANDS = {
  ...linkingCommands,
  ...passkeyCommands,
  ...mediaCommands,
  ...messageCommands,
  ...messageChangeCommands,
  ...presenceCommands,
  ...contactCommands,
  ...chatCommands,
  ...labelCommands,
  ...profileCommands,
  ...callCommands,
  ...groupCommands,
  ...groupParticipantCommands,
  ...groupInvitationCommands,
  ...groupPictureCommands,
  ...communityCommands,
  ...channelCommands,
  ...statusCommands,
  ...businessCommands,
  ...settingsCommands,
  ...restrictionCommands,
  ...listCommands,
  ...historyCommands,
} as const satisfies Record<string, Command>;

/** What workers execute, by kind. */
export const COMMANDS = { ...clusterCommands, ...SESSION_COMMANDS } as const satisfies Record<
  string,
  Command
>;

export type SessionCommandKind = keyof typeof SESSION_COMMANDS;
export type ClusterCommandKind = keyof typeof clusterCommands;

export type CommandKind = keyof typeof COMMANDS;
/** The fields of a command, besides its session. `unknown` if it has none: zod has no type that fits all. */
export type FieldsOf<C extends Command> = C extends Command
  ? [keyof C['fields']['shape']] extends [never]
    ? unknown
    : z.output<C['fields']>
  : never;
export type CommandFields<K extends CommandKind> = FieldsOf<(typeof COMMANDS)[K]>;
/** What a worker answers to a command of a kind. */
export type CommandReply<K extends CommandKind = CommandKind> = {
  [P in K]: z.output<(typeof COMMANDS)[P]['reply']>;
}[K];

/** REST calls that edges answer themselves, by their names. */
export const EDGE_CALLS = {
  ...tenantCalls,
  ...keyCalls,
  ...auditCalls,
  ...sessionCalls,
  ...linkingCalls,
  ...movingCalls,
  ...passkeyCalls,
  ...passkeyLinkCalls,
  ...mediaCalls,
  ...jobCalls,
  ...uploadCalls,
  ...eventCalls,
  ...usageCalls,
  ...clientVersionCalls,
} as const satisfies Record<string, RestCall>;

/** The REST calls of those commands that have one, by kind. */
type CallsOf<Commands extends Readonly<Record<string, Command>>> = {
  readonly [K in keyof Commands as Commands[K] extends { readonly rest: RestCall }
    ? K
    : never]: Commands[K] extends { readonly rest: infer Call extends RestCall } ? Call : never;
};

function callsOf<Commands extends Readonly<Record<string, Command>>>(commands: Commands): CallsOf<Commands> {
  const calls = Object.entries<Command>(commands).flatMap(([kind, { rest }]) =>
    rest === undefined ? [] : [[kind, rest] as const],
  );
  return Object.fromEntries(calls) as CallsOf<Commands>;
}

/** Every REST call by its name, in the order of the documentation. */
export const REST_CALLS = { ...EDGE_CALLS, ...callsOf(COMMANDS) } as const satisfies Record<string, RestCall>;

export type RestCalls = typeof REST_CALLS;
