import { type ClusterCommandKind, type CommandReply, clusterCommands } from '@wafleet/contract';
import type { WorkerCommand } from '@wafleet/store';
import type { OwnedSessions } from './sessions/owned-sessions.js';

type ClusterHandlers = {
  readonly [K in ClusterCommandKind]: (
    sessions: OwnedSessions,
    command: WorkerCommand<K>,
  ) => Promise<CommandReply<K>>;
};

const CLUSTER_HANDLERS: ClusterHandlers = {
  assign: async (sessions, command) => {
    await sessions.assign(command, command.expectPrevious);
    return { sessions: sessions.count };
  },
  release: async (sessions, command) => {
    await sessions.release(command, 'moved');
    return {};
  },
  unlink: (sessions, command) => sessions.unlink(command),
};

/**
 * Executes what a placer or an edge asks of this worker. `assign` is answered once the session is claimed, before it
 * connects.
 * @throws {NotOwnerError} if the session is not this worker's.
 * @throws {WafleetError} as the session does.
 */
export function executeCommand(command: WorkerCommand, sessions: OwnedSessions): Promise<CommandReply> {
  return isOfCluster(command)
    ? executeInWorker(command.kind, command, sessions)
    : sessions.use(command, (session) => session.execute(command.kind, command));
}

function executeInWorker<K extends ClusterCommandKind>(
  kind: K,
  command: WorkerCommand<K>,
  sessions: OwnedSessions,
): Promise<CommandReply<K>> {
  return CLUSTER_HANDLERS[kind](sessions, command);
}

function isOfCluster(command: WorkerCommand): command is WorkerCommand<ClusterCommandKind> {
  return command.kind in clusterCommands;
}
