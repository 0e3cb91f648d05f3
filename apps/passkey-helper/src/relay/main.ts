/**
 * The service worker. It makes the calls of the panel to the API: the page's Content-Security-Policy and the browser's
 * rules for local networks would stop the panel's own. It keeps nothing.
 */
import { callApi } from './call-api.js';
import { readRelayRequest } from './messages.js';

const PAGE = 'https://web.whatsapp.com/';

chrome.runtime.onMessage.addListener((message: unknown, { id, url, frameId }, sendResponse) => {
  const isPanel = id === chrome.runtime.id && frameId === 0 && url?.startsWith(PAGE) === true;
  const request = readRelayRequest(message);
  if (!isPanel || request === undefined) return false;
  void callApi(request.link, request.call).then(sendResponse);
  // The response follows later.
  return true;
});
