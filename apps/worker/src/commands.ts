import type { CommandReply, WorkerCommand } from '@wafleet/store';
import type { OwnedSessions } from './owned-sessions.js';

/**
 * Carries out what a placer or an edge asks of this worker. `assign` is answered once the session is claimed, before
 * it connects.
 * @throws {NotOwnerError} when the session is not this worker's.
 * @throws {WafleetError} as the session does.
 */
export async function carryOut(command: WorkerCommand, sessions: OwnedSessions): Promise<CommandReply> {
  switch (command.kind) {
    case 'assign':
      await sessions.assign(command, command.expectPrevious);
      return { sessions: sessions.count };
    case 'send-text': {
      const { messageId, to, text } = command;
      return sessions.use(command, (session) => session.sendText({ messageId, to, text }));
    }
    case 'pairing-code':
      return sessions.use(command, (session) => session.requestPairingCode(command.phone));
    case 'find-media':
      return sessions.use(command, (session) => session.media.find(command.messageId));
    case 'refresh-media': {
      const { messageId, triedPath } = command;
      return sessions.use(command, (session) => session.media.refresh(messageId, triedPath));
    }
    case 'unlink':
      return sessions.unlink(command);
    case 'release':
      await sessions.release(command, 'moved');
      return {};
  }
}
