import type { CommandFields, CommandReply, SESSION_COMMANDS, SessionCommandKind } from '@wafleet/contract';
import { businessHandlers } from './business.js';
import { callHandlers } from './calls.js';
import { channelHandlers } from './channels.js';
import { chatHandlers, labelHandlers } from './chats.js';
import type { CommandContext, HandlersOf } from './command-context.js';
import { communityHandlers } from './communities.js';
import { contactHandlers } from './contacts.js';
import { groupInvitationHandlers } from './group-invitations.js';
import { groupParticipantHandlers } from './group-participants.js';
import { groupPictureHandlers } from './group-pictures.js';
import { groupHandlers } from './groups.js';
import { historyHandlers } from './history-request.js';
import { linkingHandlers } from './linking.js';
import { listHandlers } from './lists.js';
import { mediaHandlers } from './media.js';
import { messageChangeHandlers } from './message-changes.js';
import { messageHandlers } from './messages.js';
import { passkeyHandlers } from './passkeys.js';
import { presenceHandlers } from './presence.js';
import { profileHandlers } from './profile.js';
import { restrictionHandlers } from './restrictions.js';
import { settingsHandlers } from './settings.js';
import { statusHandlers } from './statuses.js';

const HANDLERS: HandlersOf<typeof SESSION_COMMANDS> = {
  ...callHandlers,
  ...chatHandlers,
  ...contactHandlers,
  ...labelHandlers,
  ...linkingHandlers,
  ...mediaHandlers,
  ...messageHandlers,
  ...messageChangeHandlers,
  ...passkeyHandlers,
  ...presenceHandlers,
  ...profileHandlers,
  ...groupHandlers,
  ...groupParticipantHandlers,
  ...groupInvitationHandlers,
  ...groupPictureHandlers,
  ...communityHandlers,
  ...channelHandlers,
  ...statusHandlers,
  ...businessHandlers,
  ...settingsHandlers,
  ...restrictionHandlers,
  ...listHandlers,
  ...historyHandlers,
};

export function executeInSession<K extends SessionCommandKind>(
  session: CommandContext,
  kind: K,
  fields: CommandFields<K>,
): Promise<CommandReply<K>> {
  return HANDLERS[kind](session, fields);
}
