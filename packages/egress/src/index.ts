export { AddressRules } from './address-rules.js';
export { EgressProxy, type ProxyKind, ProxyUrlError, type ProxyUrlProblem } from './egress-proxy.js';
export { parseUrl } from './parse-url.js';
export { withPausedParser } from './paused-parsers.js';
export { ProxyError, type ProxyErrorKind, proxyErrorIn } from './proxy-error.js';
export { ProxyRoute, type ProxyRouteOptions } from './proxy-route.js';
export type { NameLookup } from './public-http/name-lookup.js';
export {
  type PublicAnswer,
  type PublicCallOptions,
  PublicHttp,
  type PublicHttpOptions,
  type PublicRequestOptions,
} from './public-http/public-http.js';
export { PublicHttpError, type PublicHttpErrorKind } from './public-http/public-http-error.js';
export type { RequestTimes } from './public-http/request-clock.js';
