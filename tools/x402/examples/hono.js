import { Hono } from 'hono'
import { HTTPFacilitatorClient } from '@x402/core/server'
import { paymentMiddleware, x402ResourceServer } from '@x402/hono'
import { DeferredServer } from 'crawltab-x402'

const bills = new DeferredServer({ url: 'https://facilitator.example', key: process.env.CRAWLTAB_KEY })
const server = bills.register(new x402ResourceServer(new HTTPFacilitatorClient(bills.facilitator)))
const accepts = { scheme: 'deferred', network: 'shop:402', payTo: 'merchant', price: '$0.05' }
const app = new Hono().use(paymentMiddleware({ 'GET /articles/*': { accepts } }, server))
export default app.get('/articles/:name', context => context.text(context.req.param('name')))
