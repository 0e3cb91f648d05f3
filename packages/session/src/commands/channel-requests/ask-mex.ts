import { type BinaryNode, getBinaryNodeChild, S_WHATSAPP_NET, type WASocket } from '@whiskeysockets/baileys';
import { get } from '../../baileys/untyped.js';

/** WhatsApp answered a GraphQL query with an error. Has WhatsApp's code where errors of Baileys have it. */
class MexRefusedError extends Error {
  override readonly name = 'MexRefusedError';
  readonly data: number;

  constructor(code: number) {
    super(`WhatsApp answered a query with the error ${code}`);
    this.data = code;
  }
}

/** What an error without a code counts as. */
const BAD_REQUEST = 400;

/**
 * Asks WhatsApp's GraphQL interface. Resolves to the field `path` of the answer, which may be anything. Baileys' own
 * function for it hides the code of a refusal (docs/upstream.md, 36).
 * @param query.id the number of a query that WhatsApp has stored.
 * @throws {MexRefusedError} with WhatsApp's code, and as Baileys' `query` does.
 */
export async function askMex(
  socket: WASocket,
  { id, path }: { readonly id: string; readonly path: string },
  variables: object,
): Promise<unknown> {
  const content = Buffer.from(JSON.stringify({ variables }));
  const answer: BinaryNode = await socket.query({
    tag: 'iq',
    attrs: { type: 'get', to: S_WHATSAPP_NET, xmlns: 'w:mex' },
    content: [{ tag: 'query', attrs: { query_id: id }, content }],
  });
  const result = getBinaryNodeChild(answer, 'result')?.content;
  const body: unknown = JSON.parse(result instanceof Uint8Array ? Buffer.from(result).toString() : '{}');
  const error = get(get(body, 'errors'), 0);
  if (error !== undefined) {
    const code = get(get(error, 'extensions'), 'error_code');
    throw new MexRefusedError(typeof code === 'number' ? code : BAD_REQUEST);
  }
  return get(get(body, 'data'), path);
}
