export { AddressRules } from './address-rules.js';
export { EgressProxy, type ProxyKind, ProxyUrlError, type ProxyUrlProblem } from './egress-proxy.js';
export { ProxyError, type ProxyErrorKind, proxyErrorIn } from './proxy-error.js';
export { ProxyRoute, type ProxyRouteOptions } from './proxy-route.js';
