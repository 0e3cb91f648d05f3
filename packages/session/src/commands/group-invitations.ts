import { type groupInvitationCommands, WafleetError } from '@wafleet/contract';
import type { HandlersOf } from './command-context.js';
import { changeAnswer, type GroupErrorCode, readAnswer } from './group-requests/ask-group.js';
import { changeGroup, readAsAdmin } from './group-requests/change-group.js';
import { toDetails } from './group-requests/group-details.js';

/** Codes that WhatsApp never issued, and those that were revoked. */
const INVITATION_REFUSALS: Readonly<Record<number, GroupErrorCode>> = {
  400: 'INVITATION_INVALID',
  401: 'INVITATION_INVALID',
  404: 'INVITATION_INVALID',
  406: 'INVITATION_INVALID',
  410: 'INVITATION_INVALID',
  419: 'GROUP_FULL',
};

const ALREADY_PARTICIPANT = 409;

export const groupInvitationHandlers: HandlersOf<typeof groupInvitationCommands> = {
  'get-group-invitation': async (context, { group }) =>
    toInvitation(await readAsAdmin(context, group, (socket) => socket.groupInviteCode(group))),

  'revoke-group-invitation': async (context, { group }) =>
    toInvitation(await changeGroup(context, group, (socket) => socket.groupRevokeInvite(group))),

  'get-invited-group': async ({ socket }, { invitation }) => {
    const asked = socket.groupGetInviteInfo(codeOf(invitation));
    return toDetails(await readAnswer(asked, INVITATION_REFUSALS));
  },

  'join-group': async ({ socket, groups }, { invitation }) => {
    const code = codeOf(invitation);
    // The answer to a request that an admin must approve does not name the group.
    const { id: group } = await readAnswer(socket.groupGetInviteInfo(code), INVITATION_REFUSALS);
    try {
      const joined = await changeAnswer(socket.groupAcceptInvite(code), INVITATION_REFUSALS);
      return { group, result: joined === undefined ? 'requested' : 'joined' };
    } catch (error) {
      const isIn = error instanceof WafleetError && error.details?.code === ALREADY_PARTICIPANT;
      if (!isIn) throw error;
      return { group, result: 'already-participant' };
    } finally {
      groups.forget(group);
    }
  },
};

/** The code of an invitation: itself, or the last part of the path of a link. */
function codeOf(invitation: string): string {
  const [path = ''] = invitation.split('?');
  return path.split('/').findLast((part) => part !== '') ?? path;
}

function toInvitation(code: string | undefined): { code: string; url: string } {
  if (code === undefined) throw new WafleetError('UNAVAILABLE', 'WhatsApp answered without an invitation.');
  return { code, url: `https://chat.whatsapp.com/${code}` };
}
