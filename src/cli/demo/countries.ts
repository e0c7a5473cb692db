/** What the demo knows about the countries its customers come from: names, streets, shops and prices. */

type Several<T> = readonly [T, ...T[]];

/** Everything a believable customer of one country needs. */
export interface Country {
  /** ISO 3166-1 alpha-2. */
  readonly code: string;
  readonly currency: string;
  /** Local price of what costs 1 in the United States. */
  readonly priceLevel: number;
  readonly women: Several<string>;
  readonly men: Several<string>;
  readonly families: Several<string>;
  readonly streets: Several<string>;
  readonly cities: Several<City>;
  readonly employers: Several<string>;
  readonly grocers: Several<string>;
}

interface City {
  readonly city: string;
  readonly state: string;
  readonly zip_code: string;
}

/** The countries, in no particular order. */
export const COUNTRIES: Several<Country> = [
  {
    code: 'US',
    currency: 'USD',
    priceLevel: 1,
    women: ['Alice', 'Olivia', 'Grace', 'Hannah', 'Naomi', 'Ruth'],
    men: ['James', 'Ethan', 'Marcus', 'Samuel', 'Caleb', 'Henry'],
    families: ['Smith', 'Johnson', 'Bennett', 'Carter', 'Nguyen', 'Robinson', 'Whitaker'],
    streets: ['Maple Street', 'Oak Avenue', 'Cedar Lane', 'Lincoln Road', 'Riverside Drive'],
    cities: [
      { city: 'Portland', state: 'Oregon', zip_code: '97205' },
      { city: 'Austin', state: 'Texas', zip_code: '78701' },
      { city: 'Madison', state: 'Wisconsin', zip_code: '53703' },
    ],
    employers: ['Hudson Software', 'Lakeside Clinic', 'Bluebird Logistics', 'Madison School District'],
    grocers: ['Green Valley Market', 'Corner Deli', 'Harvest Foods'],
  },
  {
    code: 'GB',
    currency: 'GBP',
    priceLevel: 0.8,
    women: ['Amelia', 'Charlotte', 'Imogen', 'Freya', 'Priya', 'Eleanor'],
    men: ['Oliver', 'George', 'Callum', 'Rhys', 'Harry', 'Imran'],
    families: ['Taylor', 'Davies', 'Clarke', 'Hughes', "O'Brien", 'Patel', 'Fletcher'],
    streets: ['High Street', 'Church Lane', 'Victoria Road', 'Mill Close', 'Station Road'],
    cities: [
      { city: 'Bristol', state: 'England', zip_code: 'BS1 4DJ' },
      { city: 'Cardiff', state: 'Wales', zip_code: 'CF10 1BH' },
      { city: 'Leeds', state: 'England', zip_code: 'LS1 5AB' },
    ],
    employers: ['Avon Engineering', 'Northern Rail Works', 'Harbour Publishing', 'City Hospital Trust'],
    grocers: ['The Village Stores', 'Meadow Foods', 'Market Hall'],
  },
  {
    code: 'DE',
    currency: 'EUR',
    priceLevel: 0.9,
    women: ['Anna', 'Lena', 'Katharina', 'Aylin', 'Jördis', 'Sophie'],
    men: ['Lukas', 'Jonas', 'Matthias', 'Emre', 'Felix', 'Jürgen'],
    families: ['Müller', 'Schmidt', 'Weiß', 'Hoffmann', 'Yılmaz', 'Krüger', 'Brandt'],
    streets: ['Lindenstraße', 'Gartenweg', 'Bahnhofstraße', 'Am Mühlbach', 'Goethestraße'],
    cities: [
      { city: 'Leipzig', state: 'Sachsen', zip_code: '04109' },
      { city: 'Köln', state: 'Nordrhein-Westfalen', zip_code: '50667' },
      { city: 'Freiburg im Breisgau', state: 'Baden-Württemberg', zip_code: '79098' },
    ],
    employers: ['Stadtwerke', 'Rheinland Maschinenbau', 'Praxis Dr. Vogel', 'Verlag am Markt'],
    grocers: ['Bioladen am Markt', 'Supermarkt Süd', 'Bäckerei Lang'],
  },
  {
    code: 'FR',
    currency: 'EUR',
    priceLevel: 0.9,
    women: ['Camille', 'Élodie', 'Manon', 'Fatou', 'Juliette', 'Hélène'],
    men: ['Lucas', 'Théo', 'Antoine', 'Mehdi', 'Benoît', 'Hugo'],
    families: ['Martin', 'Bernard', 'Lefèvre', 'Moreau', 'Diallo', 'Girard', 'Chevalier'],
    streets: ['Rue des Lilas', 'Avenue de la République', 'Rue du Moulin', 'Quai Voltaire', 'Rue Pasteur'],
    cities: [
      { city: 'Lyon', state: 'Auvergne-Rhône-Alpes', zip_code: '69002' },
      { city: 'Nantes', state: 'Pays de la Loire', zip_code: '44000' },
      { city: 'Toulouse', state: 'Occitanie', zip_code: '31000' },
    ],
    employers: ['Atelier Lumière', 'Mairie', 'Clinique Saint-Roch', 'Transports du Rhône'],
    grocers: ['Épicerie du Coin', 'Marché Saint-Antoine', 'Primeur Durand'],
  },
  {
    code: 'ES',
    currency: 'EUR',
    priceLevel: 0.7,
    women: ['Lucía', 'Carmen', 'Marta', 'Inés', 'Nuria', 'Valeria'],
    men: ['Javier', 'Álvaro', 'Diego', 'Íñigo', 'Pablo', 'Sergio'],
    families: ['García', 'Fernández', 'Núñez', 'Ortega', 'Vidal', 'Castro', 'Ibáñez'],
    streets: ['Calle Mayor', 'Calle del Carmen', 'Avenida de la Constitución', 'Paseo del Río', 'Calle Luna'],
    cities: [
      { city: 'Valencia', state: 'Comunidad Valenciana', zip_code: '46001' },
      { city: 'Sevilla', state: 'Andalucía', zip_code: '41001' },
      { city: 'Bilbao', state: 'País Vasco', zip_code: '48005' },
    ],
    employers: ['Bodegas del Sur', 'Hospital Central', 'Talleres Ortega', 'Instituto Cervera'],
    grocers: ['Mercado Central', 'Frutería Pilar', 'Supermercado El Sol'],
  },
  {
    code: 'JP',
    currency: 'JPY',
    priceLevel: 110,
    women: ['Yui', 'Sakura', 'Haruka', 'Aiko', 'Misaki', 'Emi'],
    men: ['Haruto', 'Ren', 'Kenji', 'Takumi', 'Daiki', 'Sota'],
    families: ['Satō', 'Suzuki', 'Takahashi', 'Tanaka', 'Watanabe', 'Kobayashi'],
    streets: ['Sakura-dōri', 'Honmachi', 'Kitano-chō', 'Midori-dōri', 'Asahi-chō'],
    cities: [
      { city: 'Sapporo', state: 'Hokkaidō', zip_code: '060-0001' },
      { city: 'Kyōto', state: 'Kyōto', zip_code: '604-8006' },
      { city: 'Fukuoka', state: 'Fukuoka', zip_code: '810-0001' },
    ],
    employers: ['Hikari Electric', 'Minato Shipping', 'Aoba Hospital', 'Kaze Design'],
    grocers: ['Fresh Mart Aoi', 'Ichiba Foods', 'Komatsu Store'],
  },
  {
    code: 'BR',
    currency: 'BRL',
    priceLevel: 3,
    women: ['Beatriz', 'Larissa', 'Thaís', 'Júlia', 'Camila', 'Renata'],
    men: ['Gabriel', 'Rafael', 'João', 'Thiago', 'Caio', 'Vinícius'],
    families: ['Silva', 'Oliveira', 'Conceição', 'Pereira', 'Araújo', 'Nakamura', 'Barbosa'],
    streets: ['Rua das Flores', 'Avenida Brasil', 'Rua São João', 'Travessa do Sol', 'Rua da Praia'],
    cities: [
      { city: 'Curitiba', state: 'Paraná', zip_code: '80010-000' },
      { city: 'Recife', state: 'Pernambuco', zip_code: '50030-000' },
      { city: 'Belo Horizonte', state: 'Minas Gerais', zip_code: '30110-000' },
    ],
    employers: ['Café Serra Azul', 'Hospital Santa Clara', 'Construtora Ipê', 'Estúdio Maré'],
    grocers: ['Mercado da Esquina', 'Feira Livre', 'Padaria Central'],
  },
  {
    code: 'IN',
    currency: 'INR',
    priceLevel: 25,
    women: ['Ananya', 'Kavya', 'Meera', 'Divya', 'Zara', 'Lakshmi'],
    men: ['Arjun', 'Rohan', 'Vikram', 'Imtiaz', 'Karthik', 'Aditya'],
    families: ['Sharma', 'Iyer', 'Reddy', 'Khan', 'Banerjee', 'Nair', 'Desai'],
    streets: ['MG Road', 'Nehru Street', 'Temple Road', 'Lake View Road', 'Park Lane'],
    cities: [
      { city: 'Pune', state: 'Maharashtra', zip_code: '411001' },
      { city: 'Kochi', state: 'Kerala', zip_code: '682011' },
      { city: 'Jaipur', state: 'Rajasthan', zip_code: '302001' },
    ],
    employers: ['Deccan Systems', 'Lotus Textiles', 'Sunrise School', 'Malabar Exports'],
    grocers: ['Fresh Basket', 'Ganesh General Store', 'Spice Bazaar'],
  },
];
