import type { ContentOf } from '@wafleet/contract';
import type { proto } from '@whiskeysockets/baileys';
import { toUnixSeconds } from './unix-seconds.js';

export function groupInvitationContent({
  groupId,
  groupName,
  code,
  expiresAt,
  caption,
}: ContentOf<'group-invitation'>): proto.IMessage {
  return {
    groupInviteMessage: {
      groupJid: groupId,
      groupName,
      inviteCode: code,
      inviteExpiration: toUnixSeconds(expiresAt),
      ...(caption === undefined ? {} : { caption }),
    },
  };
}
