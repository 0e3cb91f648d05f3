import { StartError } from '@wafleet/runtime';
import { EngineProbe } from './engine-probe.js';
import { FRAME_TOO_LARGE } from './frame-too-large.js';
import { PRE_ENCODED_FRAME } from './frames.js';
import type { Internal, Library } from './internal.js';
import { foundVersion, pinnedVersion } from './library-versions.js';
import { DATA_EVENT, HEARTBEAT_EVENT, PACKET_CREATE_EVENT, SEND_PACKET } from './packets.js';
import { WEB_SOCKET_CLASS, WS_SERVER } from './pongs.js';
import { ANSWER_REQUEST, CONNECTION_REQUEST, HANDSHAKE } from './requests.js';
import { PID } from './resume-secret.js';
import { CLIENTS, HTTP_LISTENERS, LAST_SID } from './server.js';
import { ERROR_EVENT, READY_EVENT } from './transport-events.js';
import { UPGRADING_EVENT } from './upgrades.js';
import { TCP_SOCKET, TRANSPORT_SOCKET } from './web-socket.js';
import { WRITE_BUFFER } from './write-buffer.js';

/** Everything that the edge uses of its libraries and that they do not declare or document, in the order of checks. */
export const INTERNALS: readonly Internal[] = [
  HTTP_LISTENERS,
  CLIENTS,
  LAST_SID,
  WS_SERVER,
  CONNECTION_REQUEST,
  ANSWER_REQUEST,
  WRITE_BUFFER,
  TRANSPORT_SOCKET,
  TCP_SOCKET,
  WEB_SOCKET_CLASS,
  READY_EVENT,
  ERROR_EVENT,
  DATA_EVENT,
  SEND_PACKET,
  PACKET_CREATE_EVENT,
  HEARTBEAT_EVENT,
  UPGRADING_EVENT,
  PRE_ENCODED_FRAME,
  PID,
  HANDSHAKE,
  // Ends the connection.
  FRAME_TOO_LARGE,
];

/** Opens the objects that are checked. */
export type OpenProbe = () => Promise<EngineProbe>;

/**
 * Checks on real objects that the libraries have the internals that the edge uses. Otherwise a release that renames one
 * would make clients lose events, or memory grow without a bound, and no error would show it. Takes some milliseconds.
 * @throws {StartError} that names the library, its version, the one to install, and what it lacks.
 */
export async function assertEngineInternals(openProbe: OpenProbe = () => EngineProbe.open()): Promise<void> {
  const probe = await openProbe().catch((error: unknown) => {
    throw unusable('engine.io', 'does not open a connection in the way that this edge needs', error);
  });
  try {
    for (const { library, name, isThere } of INTERNALS) {
      let cause: unknown;
      const isFound = await check(isThere, probe).catch((error: unknown) => {
        cause = error;
        return false;
      });
      if (!isFound) throw unusable(library, `lacks what this edge uses: ${name}`, cause);
    }
  } finally {
    probe.close();
  }
}

async function check(isThere: Internal['isThere'], probe: EngineProbe): Promise<boolean> {
  return isThere(probe);
}

function unusable(library: Library, problem: string, cause: unknown): StartError {
  return new StartError(
    `${library} ${foundVersion(library)} ${problem}; install ${library} ${pinnedVersion(library)}.`,
    { cause },
  );
}
