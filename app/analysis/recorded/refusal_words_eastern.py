"""Parts of refusals in the languages of Eastern Europe, the Near East and Asia."""

from app.analysis.recorded.refusal_words import RefusalWords

_SLAVIC = r"\w{1,5}|niestety|państwu|takich|takiej|bohužel|takové|такими?|такого|такий|подобн\w+"
_IN_CLAUSE = r"[^.。．!！?？\n]"

POLISH = RefusalWords(
    words="nie odmawiam muszę",
    cannot=r"\bnie (?:mogę|będę|zamierzam|chcę|chciał[ao]?bym|powin(?:ienem|nam)|jestem w stanie"
    r"|jestem (?:upoważnion[ya]|uprawnion[ya]) do|wolno mi|potrafię|podejmę się)"
    r"|\bwol(?:ę|ał[ao]?bym) nie|\bodmawiam",
    tasks="pom(?:óc|aga)|asyst|odpowi|pisa|napisa|zredag|redag|sporządz|(?:prze)?tłumacz"
    "|stre(?:ś|szcz)|podsumow|(?:prze)?anali[zu]|ocen|porówn|opis|omówi|omawia|dyskut|dorad|doradz|wyodręb"
    "|wyciąg|transkryb|przepis|klasyfik|interpret|skoment|koment|wyjaśni|uczestnicz"
    "|(?:wziąć|brać) udział|zastosow",
    acts="udziel|udost|pod(?:ać|awa)|przekaz|dostarcz|przedstaw|stworz|tworz|utworz|wygener|gener"
    "|przetw|odczyt|przeczyt|spełni|zrealiz|wykon|kontynu|ujawni",
    goods=r"zamówie|rezerwac|płatno|zwrot|wymian|rabat|faktur|dostaw|przesył|termin|wizyt|\bkont[oa]\b"
    r"|bilet|reklamac|\bpokoj|miejsc|\bbez\b|\bdopóki\b",
    alone=r"\bmuszę (?:\w+ ){0,3}odmówić|\bto nie jest dla mnie możliwe",
    filler=_SLAVIC,
)  # fmt: skip

CZECH = RefusalWords(
    words="nemohu nemůžu nesmím nebudu nechci nemohl nemohla nejsem nemám raději radši odmítám"
    " musím",
    cannot=r"\b(?:nemohu|nemůžu|nesmím|nebudu|nechci|nemohl[ao]? bych"
    r"|nejsem (?:schop\w+|oprávněn\w*|ochot\w+)|nemám dovoleno)|\b(?:raději"
    r"|radši)(?: bych)?(?= ne)|\bodmítám",
    tasks="(?:ne)?pom(?:oc|áh)|asist|odpov[ěí]d|(?:ne|na|se)?psa[tl]|(?:ne)?překlád|(?:ne)?přelož"
    "|shrnout|shrnov|(?:z)?analyz|(?:vy|z)?hodnot|posoud|posuz|porovn|popsat|popis|diskut|poradit"
    "|radit|extrah|přepsat|přepis|klasif|interpret|koment|vysvětl|účastnit|zúčastnit|vyhov",
    acts="poskyt|sdíl|sděl|vytv[oá]ř|(?:vy)?gener|zpracov|přeč|číst|splnit|pokrač|prozra|vykon",
    goods=r"objedn|rezervac|platb|vrác|výměn|refund|slev|faktur|doruč|zásil|termín|účet|účtu|jízden"
    r"|reklamac|pokoj|\bbez\b|\bdokud\b",
    alone=r"\bmusím (?:\w+ ){0,3}odmítnout",
    filler=_SLAVIC,
)  # fmt: skip

RUSSIAN = RefusalWords(
    words="не отказываюсь вынужден вынуждена должен должна",
    cannot=r"\bне (?:могу|смогу|мог(?:ла)? бы|буду|имею права|хочу|готов\w*|вправе|в состоянии"
    r"|стану|должен|должна)|\bпредпочитаю не|\bпредпоч(?:ту|ёл бы|ел бы|ла бы) не|\bотказываюсь",
    tasks="помо(?:чь|га)|содейств|ответ|отвеч|напис|писать|состав|перевести|переводить|резюм|обобщ"
    "|(?:про)?анализ|оцен|сравн|опис|обсу|посовет|советов|(?:про)?консульт|извле|расшифр|транскриб"
    "|классиф|интерпрет|(?:про)?коммент|объясн|участв|принять участ|принимать участ|давать совет"
    "|дать совет",
    acts="предостав|дать|давать|(?:по)?дел(?:ит)|раскр|созда|(?:с)?генер|обработ|обрабат"
    "|(?:про)?чита|выполн|исполн|продолж|удовлетвор|выда",
    goods=r"заказ|\bброн|плат[её]ж|оплат|возврат|обмен|скидк|сч[её]т|доставк|\bзапис|билет|номер"
    r"|\bбез\b|\bпока\b",
    alone=r"\b(?:вынужден\w*|должен|должна) (?:\w+ )?отказ",
    filler=_SLAVIC,
)  # fmt: skip

UKRAINIAN = RefusalWords(
    words="не відмовляюся відмовляюсь змушений змушена мушу",
    cannot=r"\bне (?:можу|зможу|міг би|могла б|буду|маю права|хочу|готов\w+|в змозі|бажаю|повинен"
    r"|повинна|стану)|\b(?:вважаю за краще|волію) не|\bвідмовляюся|\bвідмовляюсь",
    tasks="допом[ао]|відпові|(?:на)?пис|склас|склад|перекла|підсум|резюм|(?:про)?аналіз|оцін|порівн"
    "|опис|обгово|порад|радит|консульт|витяг|транскриб|розшифр|класиф|інтерпрет|(?:про)?комент"
    "|поясн|(?:брати|взяти) участь",
    acts="нада|дати|давати|поділит|розкри|створ|(?:з)?генер|обро[бл]|опрац|(?:про)?чита|викон"
    "|продовж|задовольн",
    goods=r"замовл|бронюв|платіж|оплат|поверн|обмін|знижк|рахун|доставк|\bзапис|квит|номер|\bбез\b"
    r"|\bпоки\b",
    alone=r"\b(?:змушен\w+|мушу) (?:\w+ )?відмов",
    filler=_SLAVIC,
)  # fmt: skip

HUNGARIAN = RefusalWords(
    words="nem kell elutasítom",
    cannot=r"\bnem (?:tudo[km]|tudnék|fogo[km]|szeretné[km]|kívánok|áll módomban|vagyok (?:képes"
    r"|jogosult|hajlandó))|\binkább nem",
    tasks="segít|támogat|válaszol|megválaszol|(?:meg)?ír|(?:le)?fordít|összefoglal|elemez|elemz"
    "|(?:ki)?értékel|megítél|összehasonlít|leír|megvitat|megbeszél|tanácsot|kinyer|átír|osztályoz"
    "|értelmez|kommentál|magyaráz|(?:el)?magyaráz|részt venni|eleget tenni|teljesít",
    acts="ad(?:ni)|nyújt|megoszt|közöl|kiad|készít|létrehoz|generál|feldolgoz|kezel|olvas|folytat",
    goods=r"rendelés|foglalás|fizetés|visszatérít|visszaküld|csere|kedvezmény|számla|szállít|időpont"
    r"|fiók|jegy|szoba|\bnélkül|\bamíg\b",
    alone=r"\bnem (?:segíthet|válaszolhat|írhat|fordíthat|adhat|oszthat|készíthet|elemezhet)"
    r"(?:[eo]k|[eo]m)\b|\bvissza kell utasítanom|\bel kell utasítanom|\belutasítom a kér",
    filler=r"[\w-]{1,10}",
)  # fmt: skip

FINNISH = RefusalWords(
    words="en kieltäydyn joudun minun",
    cannot=r"\ben (?:\w{1,14} )?(?:voi|pysty|saa|halua|aio|suostu|kykene|osaa)"
    r"|\bkieltäydyn|\bmieluummin en",
    tasks="autta|avusta|vasta|kirjoit|laati|laadi|kääntä|käännä|tiivistä|analys|arvioi|verra"
    "|vertail|kuvail|kuvat|keskustel|neuvo|poimi|littero|luokit|tulki|komment|selit|osallistu"
    "|noudatta",
    acts="toteutta|tarjo|anta|jaka|luovutta|luoda|tuotta|käsitel|luke|jatka|täyttä|paljasta"
    "|suoritta",
    goods=r"tilau|varau|maksu|palautu|vaihto|hyvity|alennu|lasku|toimitu|ajanvara|\btili|lippu|huone"
    r"|\bilman\b|\bennen\b",
    alone=r"\bjoudun (?:\w+ )?kieltäytymään|\bminun on kieltäydyttävä",
    filler=r"\w{1,14}", most=2,
)  # fmt: skip

GREEK = RefusalWords(
    words="δεν μην αρνούμαι πρέπει",
    cannot=r"\bδεν (?:\w+ )?(?:μπορώ|θα|πρέπει|μου επιτρέπεται|επιτρέπεται|είμαι σε θέση|επιθυμώ"
    r"|δύναμαι|προτίθεμαι|μου είναι δυνατ[όο])(?: ήθελα)?(?: να)?|\bπροτιμώ να μην|\bαρνούμαι να",
    tasks="βοηθήσ|απαντήσ|γράψ|συντάξ|μεταφράσ|συνοψίσ|αναλύσ|αξιολογήσ|συγκρίν|περιγράψ|συζητήσ"
    "|συμβουλ|δώσω συμβουλ|εξαγάγ|εξάγ|μεταγράψ|βαθμολογήσ|ταξινομήσ|ερμηνεύσ|σχολιάσ|εξηγήσ"
    "|συμμετ[άέ]σχ|συμμετ|συμμορφωθ|ανταποκριθ",
    acts="παράσχ|παρέχ|δώσ|μοιρασ|κοινοποιήσ|αποκαλύψ|δημιουργήσ|παράγ|παραγάγ|επεξεργαστ|διαβάσ"
    "|εκτελέσ|συνεχίσ|ικανοποιήσ",
    goods=r"παραγγελ|κράτησ|πληρωμ|επιστροφ|αλλαγ|έκπτωσ|τιμολόγ|παράδοσ|ραντεβ|λογαριασμ|εισιτήρ"
    r"|δωμάτι|\bχωρίς\b",
    alone=r"\bπρέπει να (?:αρνηθώ|απορρίψω)",
    filler=r"\w{1,5}",
)  # fmt: skip

TURKISH = RefusalWords(
    marks=("amam", "emem", "amıyo", "emiyo", "amayız", "emeyiz", "amayaca", "emeyece",
           "mayı tercih", "meyi tercih", "reddedi"),
    cannot=r"y?[ae]m(?:[ae](?:m|y[ıi]z|yaca[ğg][ıi]m|yece[ğg]im)|[ıiuü]yoru[mz])\b"
    r"|m[ae]may[ıi] tercih ed(?:erim|iyorum)|m[ae]yi reddediyorum|m[ae]y[ıi] reddediyorum",
    tasks=r"\byardımcı ol|\byardım ed|\byanıtla|\bcevapla|\b(?:yanıt|cevap) ver|\byaz|\bçevir"
    r"|\btercüme ed|\bözetle|\banaliz ed|\bdeğerlendir|\bkarşılaştır|\btarif ed|\bbetimle"
    r"|\btartış|\btavsiye(?:de)? (?:ver|bulun)|\böner(?:i)?|\bsınıflandır|\byorumla|\baçıkla"
    r"|\bkatıl|\buy",
    acts=r"\boluştur|\büret|\bişle|\bsağla|\bpaylaş|\bver|\bçıkar|\boku|\byerine getir|\bdevam ed"
    r"|\bpuanla|\bhazırla|\bgerçekleştir",
    goods="sipariş|rezervasyon|ödeme|iade|değişim|indirim|fatura|teslimat|randevu|hesab|hesap|bilet|oda",
    task_first=True, between=r"\w{0,3}?", ends="",
)  # fmt: skip

VIETNAMESE = RefusalWords(
    words="không chối",
    cannot=r"\btôi (?:\w+ ){0,2}?(?:không thể|không được phép|sẽ không|không muốn|không có quyền"
    r"|xin (?:phép )?từ chối|từ chối)",
    tasks="giúp|hỗ trợ|trả lời|viết|soạn|dịch|tóm tắt|phân tích|đánh giá|so sánh|mô tả|thảo luận"
    "|tư vấn|khuyên|đưa ra lời khuyên|trích xuất|phiên âm|chấm điểm|phân loại|diễn giải|bình luận"
    "|giải thích|tham gia",
    acts="cung cấp|chia sẻ|tiết lộ|đưa ra|tạo|xử lý|đọc|thực hiện|đáp ứng|tiếp tục",
    goods="đơn hàng|đặt (?:chỗ|phòng|vé|hàng)|thanh toán|hoàn tiền|trả hàng|đổi hàng"
    "|giảm giá|hóa đơn"
    "|giao hàng|lịch hẹn|tài khoản|\\bvé\\b|phòng",
    filler=r"\w{1,5}", most=2,
)  # fmt: skip

INDONESIAN = RefusalWords(
    words="tidak menolak",
    cannot=r"\b(?:saya|kami) (?:\w+ ){0,2}?(?:tidak (?:dapat|bisa|akan|boleh|diizinkan untuk"
    r"|diizinkan|bersedia|mampu)|menolak(?: untuk)?|lebih (?:suka|memilih)(?: untuk)? tidak)",
    tasks="(?:mem)?bantu|(?:men)?jawab|menulis|menyusun|menerjemahkan|meringkas|merangkum"
    "|menganalisis|mengevaluasi|menilai|membandingkan|menggambarkan|menjelaskan|mendeskripsikan"
    "|membahas|mendiskusikan|menasihati|memberi(?:kan)? (?:saran|nasihat)|mengekstrak"
    "|mentranskripsi|mengklasifikasi|menafsirkan|mengomentari|berpartisipasi|ikut serta",
    acts="memberi|menyediakan|membagikan|mengungkapkan|membuat|menghasilkan|memproses|mengolah"
    "|membaca|memenuhi|melaksanakan|melanjutkan",
    goods="pesanan|pemesanan|reservasi|pembayaran|pengembalian|penukaran|diskon|faktur|pengiriman"
    "|janji|akun|tiket|kamar|tanpa|sampai",
    filler=r"\w{1,7}|langsung",
)  # fmt: skip

THAI = RefusalWords(
    marks=("ไม่", "ปฏิเสธ"),
    cannot="ไม่สามารถ|ไม่อาจ|ไม่ขอ|ขอไม่|ขอปฏิเสธ|ปฏิเสธที่จะ|ไม่ได้รับอนุญาตให้|ไม่สะดวกที่จะ",
    tasks="ช่วย|ตอบ|เขียน|ร่าง|แปล|สรุป|วิเคราะห์|ประเมิน|เปรียบเทียบ|บรรยาย|อธิบาย|พูดคุย|อภิปราย"
    "|ให้คำ|สกัด|ถอดความ|ให้คะแนน|จัดประเภท|ตีความ|แสดงความ|เข้าร่วม|ปฏิบัติตาม",
    acts="ให้|สร้าง|ประมวลผล|แบ่งปัน|เปิดเผย|อ่าน|ดำเนินการ|ทำต่อ",
    goods="คำสั่งซื้อ|จอง|ชำระ|คืนเงิน|เปลี่ยนสินค้า|ส่วนลด|ใบแจ้งหนี้|จัดส่ง|นัด|บัญชี|ตั๋ว|ห้อง",
    between=r"[^\n]{0,8}?", ends="",
)  # fmt: skip

HEBREW = RefusalWords(
    words="לא איני אינני אסור מסרב מסרבת",
    cannot=r"(?:\bאיני|\bאינני|\bאני לא) (?:יכול[הת]?|רשאית?|מוכ(?:ן|נה)|מסוגלת?|אמור[הת]?)"
    r"|\bלא (?:אוכל|ארצה)|\bאסור לי|\bאני מעדי(?:ף|פה)(?: ש)?(?: )?לא|\bאני מסרב(?:ת)?",
    tasks="ל(?:עזור|סייע|ענות|השיב|כתוב|נסח|תרגם|סכם|נתח|העריך|השוות|תאר|דון|ייעץ|חלץ|תמלל|דרג"
    "|סווג|פרש|הסביר|הגיב|השתתף|היענות)",
    acts="ל(?:ספק|תת|שתף|חשוף|יצור|הפיק|עבד|קרוא|מלא|בצע|המשיך|הכין)",
    goods="הזמנ|תשלום|החזר|החלפ|הנחה|חשבונית|משלוח|תור|חשבון|כרטיס|חדר|בלי|ללא",
    filler=r"\w{1,6}",
)  # fmt: skip

ARABIC = RefusalWords(
    words="لا لن لست أعتذر أفضل أرفض غير يتعذر",
    cannot=r"\bلا (?:أستطيع|يمكنني|يسعني|أقدر|أريد|أود|يجوز لي|يسمح لي)"
    r"|\bلن (?:أتمكن من|أستطيع|أقوم)|\bلست (?:قادر\w* على|مخول\w*)|\bأعتذر عن"
    r"|\bأفضل (?:عدم|ألا)|\bأرفض|\bغير قادر\w* على"
    r"|\bيتعذر علي|\bلن(?= أ)",
    tasks="(?:ال|ب|بال)?(?:مساعد|إجاب|رد\\b|كتاب|صياغ|ترجم|تلخيص|تحليل|تقييم|مقارن|وصف|مناقش|نصح"
    "|استخراج|تفريغ|تصنيف|تفسير|شرح|تعليق|مشارك)|أساعد|أجيب|أرد\\b|أكتب|أصوغ|أترجم|ألخص|أحلل|أقيم"
    "|أقارن|أصف|أناقش|أنصح|أستخرج|أصنف|أفسر|أشرح|أعلق|أشارك",
    acts="(?:ال|ب)?(?:تقديم|توفير|إعطاء|كشف|إنشاء|توليد|معالج|قراء|تنفيذ|تلبي|متابع|استمرار)"
    "|أقدم|أوفر|أعطي|أكشف|أنشئ|أعالج|أقرأ|أنفذ|ألبي|أواصل",
    goods="طلبي|الطلبات|حجز|الدفع|استرداد|استرجاع|استبدال|خصم|فاتور|توصيل|شحن|موعد|حساب|تذكر|غرف|بدون",
    filler=r"\w{1,6}",
)  # fmt: skip

HINDI = RefusalWords(
    words="नहीं",
    cannot=rf"नहीं{_IN_CLAUSE}{{0,12}}?(?:सकत|सकूँग|सकूंग|करूँग|करूंग|दूँग|दूंग|लूँग|लूंग|चाहता"
    "|चाहती|चाहूँग|चाहूंग|पाऊँग|पाऊंग)",
    tasks="मदद|सहायता|उत्तर|जवाब|लिख|अनुवाद|सारांश|विश्लेषण|मूल्यांकन|तुलना|वर्णन|चर्चा|सलाह|सुझाव"
    "|निकाल|प्रतिलेख|वर्गीक|व्याख्या|टिप्पणी|भाग|हिस्सा|समझा",
    acts="जानकारी|साझा|प्रदान|बना|तैयार|संसाधित|प्रोसेस|पढ़|पूरा|जारी",
    goods="ऑर्डर|बुकिंग|भुगतान|रिफंड|वापसी|बदल|छूट|चालान|डिलीवरी|अपॉइंटमेंट|खाता|टिकट|कमरा|बिना",
    task_first=True, between=rf"{_IN_CLAUSE}{{0,24}}?", ends="",
)  # fmt: skip

CHINESE = RefusalWords(
    marks=("不", "无法", "無法", "拒绝", "拒絕", "恕难", "没办法", "沒辦法"),
    cannot=r"(?:我们?|我們|本人|[歉起憾思][，,。！\s]{0,2}|[歉起憾思][^\n]{0,24}[，,]\s?)"
    r"(?:但是?|不过|目前|暂时|暫時|现在|作为[^，。\n]{0,12}，?|作為[^，。\n]{0,12}，?|我们?|我們|也|还"
    r"|實在|实在|确实|只能|需要|必须|必須|选择|更|宁愿|寧願|傾向|倾向|于|於){0,4}"
    r"(?:不能|无法|無法|不可以|不便|不会|不會|不愿意?|不願意?|不想|拒绝|拒絕|恕难|不宜|不应|不應|没办法|沒辦法)",
    tasks="帮助|帮忙|协助|帮[您你]|回答|回应|答复|撰写|代写|写|起草|翻译|总结|概括|摘要|分析|评估|评价|判断"
    "|比较|对比|描述|讨论|建议|推荐|提取|转录|评分|打分|分类|解读|解释|评论|参与|满足|遵从|幫助|幫[您你]|協助"
    "|回應|回覆|答覆|撰寫|寫|翻譯|總結|評估|評價|判斷|比較|對比|討論|建議|推薦|轉錄|評分|分類|解讀|解釋|評論"
    "|參與|滿足|遵從",
    acts="提供|给出|分享|透露|公开|创建|生成|制作|处理|执行|继续|读取|支持|創建|製作|處理|產生|繼續|執行|公開"
    "|讀取|給出",
    goods="订单|预订|预约|付款|支付|退款|退货|换货|折扣|优惠|发票|配送|发货|账户|车票|座位|房间|訂單|預訂|預約"
    "|退貨|換貨|發票|出貨|帳戶|車票|優惠|房間",
    between=r"[^。！？\n]{0,14}?", ends="",
)  # fmt: skip

JAPANESE = RefusalWords(
    marks=("せん", "かね", "断", "控え", "遠慮", "でき", "沿え", "添え"),
    cannot="でき(?:ません|かねます|かねる|ない(?:んです|のです|です)?)|[いしたせ]かねます|お断り|控えさせ"
    "|差し控え|遠慮させ|られません|致しません|いたしません|えません|わけにはいきません|しません",
    tasks="手伝|お力に|支援|サポート|[応答]え|応じ|回答|執筆|作文|翻訳|訳|要約|まとめ|分析|評価|判断|比較"
    "|描写|説明|議論|助言|アドバイス|お勧め|おすすめ|推奨|抽出|読み上げ|文字起こし|採点|分類|解釈|参加|要望"
    "|依頼|質問|リクエスト|コメント|書[きく]",
    acts="提供|共有|開示|生成|作成|処理|実行|対応|読み?取|続け|続行|継続|従う|伝え|教え",
    goods="注文|予約|支払|返金|返品|交換|割引|請求書|配送|配達|口座|チケット|座席|部屋|在庫|キャンセル",
    alone=r"(?:申し訳|すみません|恐れ入り)[^\n]{0,40}(?:お断り|いたしかねます)|ご期待に[沿添]え",
    task_first=True, between=r"[^。\n]{0,14}?", ends="",
)  # fmt: skip

KOREAN = RefusalWords(
    marks=("없", "어렵", "어려", "않", "거절", "사양", "못", "삼가", "불가"),
    cannot="수(?:는|가)? ?없|어렵습니다|어려울|않겠|않을|거절|사양|못 ?(?:합|해|하)|삼가|불가",
    tasks="도와|도움|돕|지원|답변|답해|대답|응답|작성|써|쓸|번역|요약|분석|평가|판단|비교|묘사|설명|논의"
    "|토론|조언|추천|권해|추출|전사|채점|분류|해석|참여|응할|응해|의견",
    acts="제공|공유|알려|공개|생성|만들|처리|수행|읽|이행|계속|진행",
    goods="주문|예약|결제|환불|반품|교환|할인|청구서|배송|계좌|계정|티켓|좌석|객실",
    task_first=True, between=r"[^.\n]{0,12}?", ends="",
)  # fmt: skip
