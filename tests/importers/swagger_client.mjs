// Builds requests with the npm package swagger-client. A line of stdin is {"spec": ..., "calls": [...]}, a line of stdout
// its requests, each {url, headers, body} or {fault}. The argument is the folder `node_modules` that has the package.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const loaded = createRequire(`${process.argv[2]}/`)('swagger-client')
const client = loaded.default ?? loaded
globalThis.fetch = () => Promise.reject(new Error('nothing is fetched'))

const METHODS = ['get', 'post', 'put', 'patch', 'delete']

/** Operations get ids that are unique, so that each can be named. */
function numbered (spec) {
  const ids = {}
  for (const [path, item] of Object.entries(spec.paths ?? {})) {
    for (const method of METHODS.filter(name => typeof item?.[name] === 'object')) {
      ids[`${method} ${path}`] = item[method].operationId = `op${Object.keys(ids).length}`
    }
  }
  return ids
}

async function bodyOf (body) {
  if (!(body instanceof FormData)) return body
  const parts = []
  for (const [name, value] of body.entries()) parts.push([name, typeof value === 'string' ? value : await value.text()])
  return parts
}

async function built (spec, ids, call) {
  try {
    const { url, headers, body, form } = client.buildRequest({ spec, operationId: ids[call.operation], ...call.given })
    return { url, headers, body: await bodyOf(body ?? form) }
  } catch (fault) {
    return { fault: String(fault.message ?? fault) }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { spec, calls } = JSON.parse(line)
  const ids = numbered(spec)
  let requests
  try {
    const resolved = await client.resolve({ spec, allowMetaPatches: false })
    requests = await Promise.all(calls.map(call => built(resolved.spec, ids, call)))
  } catch (fault) {
    requests = calls.map(() => ({ fault: `not resolved: ${fault.message}` }))
  }
  process.stdout.write(JSON.stringify(requests) + '\n')
}
