import express from 'express'
import { HTTPFacilitatorClient } from '@x402/core/server'
import { paymentMiddleware, x402ResourceServer } from '@x402/express'
import { DeferredServer } from 'crawltab-x402'

const bills = new DeferredServer({ url: 'https://facilitator.example', key: process.env.CRAWLTAB_KEY })
const server = bills.register(new x402ResourceServer(new HTTPFacilitatorClient(bills.facilitator)))
const accepts = { scheme: 'deferred', network: 'shop:402', payTo: 'merchant', price: '$0.05' }
const app = express().use(paymentMiddleware({ 'GET /articles/*': { accepts } }, server))
app.get('/articles/:name', (request, response) => response.send(request.params.name)).listen(8080)
