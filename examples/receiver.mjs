// A runner of your own, for Node: it decides whether an order is within its credit.
//
//     RUNGS_SECRET=... PORT=8000 node examples/receiver.mjs
//
// and in rungs.toml:
//
//     [runners.CreditCheck]
//     url = "http://127.0.0.1:8000/"
//     secret = "..."                     # the same

import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

const SECRET = process.env.RUNGS_SECRET
const OLDEST = 300 // seconds
const LARGEST = 16 * 1024 * 1024 // bytes
const MOST_ANSWERS = 10_000

if (!SECRET) throw new Error('RUNGS_SECRET is not set')

/** The business of it. What else Rungs sends: the process's id, the step, the attempt. */
function decide(config, data) {
  const total = data.order?.total
  if (total === undefined) return { action: 'noop', message: 'no total yet', retryAfter: 60 }
  if (total <= Number(config.most)) {
    return { action: 'next', message: `${total} is fine`, data: { credit: { granted: total } } }
  }
  return { action: 'altNext', message: `${total} is too much` }
}

/** Whether this was signed with our secret, and in these minutes. */
function isGenuine(headers, body) {
  const timestamp = headers['rungs-timestamp'] ?? ''
  if (!/^\d{1,12}$/.test(timestamp)) return false
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > OLDEST) return false
  const hmac = createHmac('sha256', SECRET).update(`${timestamp}.`).update(body)
  const expected = Buffer.from(`v1=${hmac.digest('hex')}`)
  const given = Buffer.from(headers['rungs-signature'] ?? '')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** What was answered, by the visit's id: a visit that is asked again gets the same answer. */
const answered = new Map()

function answer({ id, config, data }) {
  if (!answered.has(id)) {
    answered.set(id, { id, ...decide(config, data) })
    if (answered.size > MOST_ANSWERS) answered.delete(answered.keys().next().value)
  }
  return answered.get(id)
}

async function read(request) {
  const chunks = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > LARGEST) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function handle(request) {
  if (request.method !== 'POST') return [405, { error: 'only POST' }]
  const body = await read(request)
  if (body === null) return [413, { error: 'too long' }]
  if (!isGenuine(request.headers, body)) {
    return [401, { error: 'not signed by Rungs, or not in these minutes' }]
  }
  return [200, JSON.parse(body).runners.map(answer)]
}

const server = createServer(async (request, response) => {
  const [status, what] = await handle(request).catch(error => [500, { error: error.message }])
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(what))
})
server.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/`)
})
