import type { HelperLink } from '../helper-link.js';
import type { ApiCall, CallOutcome, RelayRequest } from '../relay/messages.js';

/** Makes a call by the relay. Never rejects: without an answer of the relay, the API counts as unreachable. */
export async function callRelay(link: HelperLink, call: ApiCall): Promise<CallOutcome> {
  try {
    const request: RelayRequest = { link, call };
    const outcome: CallOutcome | undefined = await chrome.runtime.sendMessage(request);
    return outcome ?? { kind: 'unreachable' };
  } catch {
    // The browser has ended the relay during the call, or replaced the extension.
    return { kind: 'unreachable' };
  }
}
