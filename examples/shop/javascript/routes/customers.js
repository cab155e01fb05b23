'use strict';

const express = require('express');
const { rateLimit } = require('express-rate-limit');
const { MongoClient } = require('mongodb');
const { printLabel, printLabelSafely, customerOf, customerOfSafely } = require('../labels');

const customers = express.Router();
customers.use(rateLimit({ windowMs: 60_000, limit: 100 }));
const database = new MongoClient('mongodb://localhost:27017').db('shop');

customers.post('/login', async (req, res) => {
  const found = await database.collection('customers').findOne({ mail: req.body.mail, pin: req.body.pin });
  res.json({ known: found !== null });
});

customers.post('/login/safe', async (req, res) => {
  const mail = String(req.body.mail);
  const pin = String(req.body.pin);
  const found = await database.collection('customers').findOne({ mail, pin });
  res.json({ known: found !== null });
});

customers.put('/profile', async (req, res) => {
  const profile = { role: 'customer', discount: 0 };
  Object.assign(profile, req.body);
  await database.collection('profiles').insertOne(profile);
  res.sendStatus(204);
});

customers.put('/profile/safe', async (req, res) => {
  const profile = { role: 'customer', discount: 0 };
  profile.street = String(req.body.street);
  profile.city = String(req.body.city);
  await database.collection('profiles').insertOne(profile);
  res.sendStatus(204);
});

customers.post('/label', (req, res) => {
  printLabel(req.body.printer, 'label.pdf');
  res.sendStatus(202);
});

customers.post('/label/safe', (req, res) => {
  printLabelSafely(req.body.printer, 'label.pdf');
  res.sendStatus(202);
});

customers.get('/me', (req, res) => {
  res.json({ customer: customerOf(req.get('authorization')) });
});

customers.get('/me/safe', (req, res) => {
  res.json({ customer: customerOfSafely(req.get('authorization')) });
});

module.exports = { customers };
