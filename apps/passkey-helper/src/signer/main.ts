/**
 * Runs among the scripts of the page (the MAIN world): only there do password managers answer, and does Chromium offer
 * every kind of passkey. It asks for a signature when the panel says so, has no network and keeps nothing.
 */
import { encodeAssertion } from '../assertion.js';
import { offerPort } from './channel.js';
import { readSignerRequest, type SignerAnswer, type SignerRequest } from './messages.js';
import { decodeRequestOptions } from './request-options.js';

const port = offerPort();
let current = new AbortController();

port.onmessage = async ({ data }: MessageEvent<unknown>) => {
  const request = readSignerRequest(data);
  if (request === undefined) return;
  current.abort();
  if (request.do === 'sign') port.postMessage(await sign(request));
};

async function sign(request: Extract<SignerRequest, { do: 'sign' }>): Promise<SignerAnswer> {
  const { number } = request;
  current = new AbortController();
  const { signal } = current;
  try {
    const publicKey = decodeRequestOptions(request.options);
    const credential = await navigator.credentials.get({ publicKey, signal });
    return { number, assertion: encodeAssertion(credential) };
  } catch (error) {
    return { number, error: error instanceof Error ? error.name : 'Error' };
  }
}
