// A real OpenID provider for the tests, at the path and with the habits of the Keycloak realm that
// the gateway meets: RS256, access tokens as JWT for an hour, refresh tokens, logout by redirect.
//
//   node provider.mjs PORT CALLBACK LOGGED_OUT
//
// POST /control/rotate     sign with a new key; the old one is no longer published
// POST /control/down?way=  reset (closes connections), unavailable (503), maintenance (404, HTML)
// POST /control/up
// POST /control/clock?s=   let its clock be off by so many seconds
// POST /control/revoke     forget all refresh tokens
// POST /control/life?s=    of access tokens from now on
// POST /control/sign       sign the JSON claims of the body as it signs tokens; ?typ= of the header
// GET  /control/asked      how often it was asked for its keys and for tokens

import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';

const [port, callback, loggedOut] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${process.cwd()}/package.json`));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));
const { SignJWT, importJWK } = await import(pathToFileURL(require.resolve('jose')));

const PREFIX = '/auth/realms/QuantImage-v2';
// Another site than the gateway, which is at 127.0.0.1.
const ISSUER = `http://localhost:${port}${PREFIX}`;
const AUDIENCE = 'account';

const trueNow = Date.now;
const state = {
  down: '', life_s: 3600, off_s: 0, generation: 0, asked: { keys: 0, tokens: 0 }, key: newKey(),
};
Date.now = () => trueNow() + state.off_s * 1000;

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
}

// oidc-provider's own store is one for all providers of a process; this one can forget by kind.
const store = new Map();
class Store {
  constructor(kind) { this.kind = kind; }

  key(id) { return `${this.kind}:${id}`; }

  async upsert(id, payload) { store.set(this.key(id), payload); }

  async find(id) { return store.get(this.key(id)); }

  async findBy(field, value) {
    return [...store].find(([key, each]) => key.startsWith(`${this.kind}:`) && each[field] === value)?.[1];
  }

  async findByUid(uid) { return this.findBy('uid', uid); }

  async findByUserCode(code) { return this.findBy('userCode', code); }

  async consume(id) { store.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }

  async destroy(id) { store.delete(this.key(id)); }

  async revokeByGrantId(grantId) {
    [...store].forEach(([key, each]) => each.grantId === grantId && store.delete(key));
  }
}

function newProvider() {
  const resource = {
    scope: 'openid',
    audience: AUDIENCE,
    accessTokenFormat: 'jwt',
    accessTokenTTL: state.life_s,
    jwt: { sign: { alg: 'RS256' } },
  };
  return new Provider(ISSUER, {
    adapter: Store,
    jwks: { keys: [state.key] },
    cookies: { keys: ['of the tests'] },
    clients: ['gateway', 'another'].map((id) => ({
      client_id: id,
      client_secret: `secret of ${id}: 100 % + &`,
      redirect_uris: [callback],
      post_logout_redirect_uris: [loggedOut],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
    })),
    pkce: { required: () => true },
    conformIdTokenClaims: false,
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `${id} of the tests`, email: `${id}@example.org` }),
    }),
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    ttl: { AuthorizationCode: 60, RefreshToken: 86400, Session: 86400, Grant: 86400, Interaction: 600 },
    features: {
      devInteractions: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:the-realm',
        useGrantedResource: () => true,
        getResourceServerInfo: () => resource,
      },
    },
    // Keycloak states the kind of a token and the program it was given to.
    extraTokenClaims: (_, token) => ({ typ: 'Bearer', azp: token.clientId }),
  });
}

let provider = newProvider();
let answer = provider.callback();
function renew() {
  provider = newProvider();
  answer = provider.callback();
}

const CONTROLS = {
  rotate: () => { state.key = newKey(); renew(); },
  down: (query) => { state.down = query.get('way') ?? 'reset'; },
  up: () => { state.down = ''; },
  clock: (query) => { state.off_s = Number(query.get('s')); },
  revoke: () => { [...store.keys()].filter((key) => key.startsWith('RefreshToken:')).forEach((key) => store.delete(key)); },
  life: (query) => { state.life_s = Number(query.get('s')); renew(); },
  sign: async (query, body) => new SignJWT(JSON.parse(body))
    .setProtectedHeader({ alg: 'RS256', kid: state.key.kid, typ: query.get('typ') ?? 'JWT' })
    .sign(await importJWK(state.key, 'RS256')),
  asked: () => JSON.stringify(state.asked),
};

async function control(url, request, response) {
  let body = '';
  for await (const chunk of request) body += chunk;
  const answered = await CONTROLS[url.pathname.slice('/control/'.length)](url.searchParams, body);
  response.end(answered ?? 'done');
}

function unreachable(request, response) {
  if (state.down === 'reset') {
    request.socket.destroy();
  } else {
    response.writeHead(state.down === 'unavailable' ? 503 : 404, { 'Content-Type': 'text/html' });
    response.end('<h1>We are back soon</h1>');
  }
}

createServer((request, response) => {
  const url = new URL(request.url, ISSUER);
  if (url.pathname.startsWith('/control/')) return control(url, request, response);
  if (url.pathname === `${PREFIX}/jwks`) state.asked.keys += 1;
  if (url.pathname === `${PREFIX}/token`) state.asked.tokens += 1;
  if (state.down) return unreachable(request, response);
  if (!url.pathname.startsWith(`${PREFIX}/`)) return response.writeHead(404).end();
  request.originalUrl = request.url;
  request.url = request.url.slice(PREFIX.length);
  return answer(request, response);
}).listen(Number(port), '127.0.0.1', () => console.log('listening'));
