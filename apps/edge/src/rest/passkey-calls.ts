import {
  type LinkedPasskeyView,
  PASSKEY_AFTER_SIGNATURE_MS,
  PASSKEY_CHALLENGE_MS,
  type PasskeyView,
  type passkeyCalls,
  type passkeyLinkCalls,
  WafleetError,
} from '@wafleet/contract';
import type { PasskeyLinks, SessionDirectory, SessionRef } from '@wafleet/store';
import { linkedSessionOf } from '../auth/passkey-link-auth.js';
import { sessionRefOf } from '../auth/session-ref.js';
import type { SessionCommands } from '../sessions/session-commands.js';
import type { HandlersOf } from './calls.js';

/** How long a helper link outlives the longest link by passkey, so that its end can be seen, ms. */
const MARGIN_MS = 60_000;

/** Where the helper extension runs: the passkeys of WhatsApp can be used in pages of WhatsApp alone. */
const PAGE = 'https://web.whatsapp.com/';

interface PasskeyResources {
  readonly commands: SessionCommands;
  readonly passkeyLinks: PasskeyLinks;
  readonly sessions: SessionDirectory;
  /** Where browsers reach the cluster's edges. Default: where the request was sent to. */
  readonly publicUrl: string | undefined;
}

/** Links for people who sign for a session and have no API key. */
export function passkeyHandlers(resources: PasskeyResources): HandlersOf<typeof passkeyCalls> {
  const { commands, passkeyLinks, publicUrl } = resources;
  return {
    'create-passkey-link': async ({ params, body, request }) => {
      const ref = sessionRefOf(request, params);
      const view = await commands.call({ kind: 'get-passkey', ...ref }, { requestId: request.id });
      const expiresAt = endOf(view);
      const token = await passkeyLinks.create(ref, expiresAt);
      const base = body?.apiUrl ?? publicUrl ?? `${request.protocol}://${request.host}`;
      const link = JSON.stringify({ t: token, b: base.replace(/\/+$/, '') });
      const fragment = `wafleet-passkey=${Buffer.from(link).toString('base64url')}`;
      return { url: `${PAGE}#${fragment}`, expiresAt: new Date(expiresAt).toISOString() };
    },
  };
}

/** What the holder of such a link does. */
export function passkeyLinkHandlers(resources: PasskeyResources): HandlersOf<typeof passkeyLinkCalls> {
  const { commands, sessions } = resources;
  const labelled = async (ref: SessionRef, view: Omit<LinkedPasskeyView, 'label'>) => {
    const { name = ref.sessionId } = await sessions.require(ref);
    return { ...view, label: name };
  };
  return {
    'get-linked-passkey': async ({ request }) => {
      const ref = linkedSessionOf(request);
      return labelled(ref, await viewOf(commands, ref, request.id));
    },
    'sign-linked-passkey': async ({ request, body }) => {
      const ref = linkedSessionOf(request);
      const command = { ...body, kind: 'sign-passkey', ...ref } as const;
      return labelled(ref, await commands.call(command, { requestId: request.id }));
    },
    'confirm-linked-passkey': async ({ request, body }) => {
      const ref = linkedSessionOf(request);
      const command = { ...body, kind: 'confirm-passkey', ...ref } as const;
      return labelled(ref, await commands.call(command, { requestId: request.id }));
    },
  };
}

/**
 * When the link by passkey has ended at the latest, ms since 1970. The person needs the helper link until then: the codes
 * are compared after the signature. The worker ends the helper link with the link by passkey.
 */
function endOf({ expiresAt }: PasskeyView): number {
  const stageEndsAt = Math.min(Date.parse(expiresAt), Date.now() + PASSKEY_CHALLENGE_MS);
  return stageEndsAt + PASSKEY_AFTER_SIGNATURE_MS + MARGIN_MS;
}

/** The person has done everything once the session is linked, so that is an answer here, and not an error. */
async function viewOf(
  commands: SessionCommands,
  ref: SessionRef,
  requestId: string,
): Promise<PasskeyView | { stage: 'linked'; expiresAt: string }> {
  try {
    return await commands.call({ kind: 'get-passkey', ...ref }, { requestId });
  } catch (error) {
    if (!(error instanceof WafleetError) || error.code !== 'ALREADY_LINKED') throw error;
    return { stage: 'linked', expiresAt: new Date().toISOString() };
  }
}
