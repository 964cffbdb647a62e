import { NextResponse } from 'next/server'
import { HTTPFacilitatorClient } from '@x402/core/server'
import { withX402, x402ResourceServer } from '@x402/next'
import { DeferredServer } from 'crawltab-x402'

const bills = new DeferredServer({ url: 'https://facilitator.example', key: process.env.CRAWLTAB_KEY })
const server = bills.register(new x402ResourceServer(new HTTPFacilitatorClient(bills.facilitator)))
const accepts = { scheme: 'deferred', network: 'shop:402', payTo: 'merchant', price: '$0.05' }
const article = async request => new NextResponse(new URL(request.url).pathname)
export const GET = withX402(article, { accepts }, server)
