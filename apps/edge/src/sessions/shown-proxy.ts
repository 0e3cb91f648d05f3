import { type ShownProxy, WafleetError } from '@wafleet/contract';
import { EgressProxy, ProxyUrlError } from '@wafleet/egress';

/**
 * What may be shown of a proxy.
 * @throws {WafleetError} VALIDATION_FAILED if the text is not the URL of a proxy. The error does not repeat it.
 */
export function shownProxy(url: string): ShownProxy {
  try {
    return EgressProxy.parse(url).toJSON();
  } catch (error) {
    if (!(error instanceof ProxyUrlError)) throw error;
    const issue = { path: 'body.proxy', message: error.message };
    const message = `body.proxy is not the URL of a proxy. ${error.message}`;
    throw new WafleetError('VALIDATION_FAILED', message, { issues: [issue] });
  }
}
