import type { BinaryNode } from '@whiskeysockets/baileys';

/**
 * How the server ends a connection. In brackets: the status code that Baileys 7.0.0-rc14 reports.
 * - `{code}`: `<stream:error code>` (the code)
 * - `replaced`: another socket has logged in as the same device (440)
 * - `device-removed`: the phone has unlinked the device (401)
 * - `unknown`: a `stream:error` that clients do not know (500)
 * - `stream-end`: `<xmlstreamend>` (428)
 * - `socket`: the WebSocket is closed without a closing stanza (428)
 * - `tcp`: the TCP connection is reset (428)
 * - `{failure}`: `<failure reason>`, as answered to a login (the reason). A temporary ban (402) includes its
 *   remaining seconds
 * - `downgrade`: `<ib><downgrade_webclient/></ib>` (411)
 */
export type CloseCause =
  | { readonly code: number }
  | { readonly failure: number; readonly expiresInSeconds?: number }
  | 'replaced'
  | 'device-removed'
  | 'unknown'
  | 'stream-end'
  | 'socket'
  | 'tcp'
  | 'downgrade';

/** The stanza that announces the end to the client. Undefined if the connection just ends. */
export function farewell(cause: CloseCause): BinaryNode | undefined {
  if (typeof cause === 'object') {
    if ('code' in cause) return { tag: 'stream:error', attrs: { code: String(cause.code) } };
    const { failure, expiresInSeconds } = cause;
    const expire = expiresInSeconds === undefined ? {} : { expire: String(expiresInSeconds) };
    return { tag: 'failure', attrs: { reason: String(failure), location: 'sim', ...expire } };
  }
  switch (cause) {
    case 'replaced':
      return streamError({}, { tag: 'conflict', attrs: { type: 'replaced' } });
    case 'device-removed':
      return streamError({ code: '401' }, { tag: 'conflict', attrs: { type: 'device_removed' } });
    case 'unknown':
      return streamError({}, { tag: 'unspecified', attrs: {} });
    case 'stream-end':
      return { tag: 'xmlstreamend', attrs: {} };
    case 'downgrade':
      return { tag: 'ib', attrs: {}, content: [{ tag: 'downgrade_webclient', attrs: {} }] };
    case 'socket':
    case 'tcp':
      return undefined;
  }
}

function streamError(attrs: Record<string, string>, child: BinaryNode): BinaryNode {
  return { tag: 'stream:error', attrs, content: [child] };
}
