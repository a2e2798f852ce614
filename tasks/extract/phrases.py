"""Phrases of furniture above and between paragraphs.

Data; compared by casefolded words. Each phrase is a whole heading or line. Phrases that a story could contain
(`background`, `what we know`), and names of a single site, do not belong here.
"""

import re

from tasks.extract.tree import key_of, words_in, words_of

READ_MORE = """
read more | read also | see more | also read | see also | read next | up next | related | more | don't miss | dont miss | in case you missed it |
recommended | recommended reading | recommended for you | keep reading | continue reading | further reading | must read | click here |
more on this | more on this story | more on this topic | watch | watch also | read the full story | read full story | show more |
lesen sie auch | lesen sie mehr | lesen sie dazu auch | lies auch | mehr zum thema | auch interessant | mehr dazu | weiterlesen | lesetipp | passend zum thema |
mehr lesen | zum weiterlesen | hier weiterlesen | jetzt lesen |
à lire aussi | a lire aussi | lire aussi | à lire également | lire également | lire la suite | à voir aussi | voir aussi | sur le même sujet | en savoir plus |
lea también | lee también | lea más | leer más | ver también | te puede interesar | también te puede interesar | le puede interesar | más información |
noticia relacionada | noticias relacionadas | relacionado | seguir leyendo | mira también |
leia também | leia mais | veja também | saiba mais | leia ainda | continue lendo | ler mais |
leggi anche | leggi di più | vedi anche | potrebbe interessarti | potrebbe interessarti anche | ti potrebbe interessare | per approfondire | continua a leggere |
lees ook | lees meer | lees verder | bekijk ook | läs också | läs även | läs mer | les også | les mer | læs også | læs mere | lue myös | lue lisää |
czytaj więcej | czytaj także | czytaj też | zobacz także | zobacz też | zobacz również | przeczytaj także | przeczytaj też | čtěte také | čtěte více | přečtěte si také |
citește și | citeste si | citește mai mult | olvasta már | διαβάστε επίσης | δείτε επίσης | διαβάστε περισσότερα |
читайте также | читать далее | читайте ещё | читайте еще | смотрите также | по теме | читайте також | дивіться також | прочетете също | vidi još | pročitajte još |
ayrıca okuyun | ilgili haberler | ilgili haber | devamını oku | daha fazla | baca juga | lihat juga | baca selengkapnya | xem thêm | đọc thêm |
اقرأ أيضا | اقرأ أيضًا | اقرأ المزيد | إقرأ أيضا | شاهد أيضا | بیشتر بخوانید | קראו גם | קרא עוד |
यह भी पढ़ें | ये भी पढ़ें | और पढ़ें | ये भी पढ़िए |
あわせて読みたい | 関連記事 | 続きを読む | 合わせて読みたい | 相关阅读 | 延伸阅读 | 相關閱讀 | 延伸閱讀 | 阅读更多 | 閱讀更多 | 관련기사 | 관련 기사 | 더보기 | อ่านเพิ่มเติม | ข่าวที่เกี่ยวข้อง
"""
"""Introduce a link to another story: `Read more: Council backs plan`. As whole lines they are removed too."""

STOP_HEADINGS = """
more for you | more to read | more from us | more stories | more news | more headlines | more like this | more to explore | more from author |
related articles | related article | related stories | related story | related content | related posts | related news | related topics | related coverage |
related reading | related links | related videos | related items | read related topics | related tags | related searches |
what to read next | what to read | read this next | next up | next article | next story | next read | previous article |
most read | most popular | most viewed | most shared | most commented | most watched | most recent | most discussed | popular | popular now | popular stories | popular posts |
popular articles | popular news | popular on the web | trending | trending now | trending stories | trending news | trending topics | trending articles | top trending | hot topics |
hot picks | in the news | top stories | top news | top headlines | top reads | today's top stories | latest | latest news | latest stories | latest articles | latest posts |
latest headlines | latest videos | latest updates | recent posts | recent news | recent articles | recent stories | breaking news | just in |
you may also like | you may like | you might also like | you might like | you may also be interested in | you may be interested in | you might be interested in | you may have missed |
also interesting | also on | others also read | readers also read | readers also liked | people also read | recommended stories | recommended articles | recommended videos |
recommended content | recommendations | our recommendations | editor's picks | editors' picks | editors picks | editor's choice | editor's pick | our picks | staff picks | featured |
featured stories | featured articles | featured news | featured videos | from our partners | from the web | around the web | elsewhere on the web | from around the web | partner content |
sponsored | sponsored content | sponsored links | sponsored stories | promoted | promoted content | promoted stories | paid content | advertisement | advertisements | paid post |
comments | leave a comment | leave a reply | post a comment | add a comment | join the join the discussion | reader comments | be the first to comment | view comments |
have your say | share your thoughts | what do you think | share this | share this article | share this story | share this post | share | share article | follow us | follow us on |
follow us on social media | stay connected | connect with us | get in touch | contact us | newsletter | newsletters | newsletter sign up | sign up for our newsletter | subscribe | subscribe now |
subscribe to our newsletter | sign up to our newsletter | subscribe for updates | stay informed | stay up to date | stay in the know | get our newsletter | get the newsletter | email newsletter |
support us | support our work | support independent journalism | donate | about the author | about the authors | about the writer | photostories | photo stories | photo gallery | photo galleries |
video of the day | videos | watch more | more videos | daily puzzles | games and puzzles | explore more | explore more topics | discover more | browse by topic | filed under | categories | topics | tags | archives |
trending videos | popular in the community | end of article | article content | story continues below | recommended from editorial | read in app | top videos | also read these | web stories | visual stories |
this week's top stories | more in this section | more from this section | in this section | in other news | on the same topic | similar stories | similar articles | similar posts | similar news |
ähnliche artikel | ähnliche beiträge | weitere artikel | weitere themen | weitere nachrichten | weitere meldungen | weitere beiträge | weitere videos | verwandte themen | verwandte artikel |
meistgelesen | meistgelesene artikel | meist gelesen | am meisten gelesen | beliebte artikel | beliebteste artikel | das könnte sie auch interessieren | das könnte sie interessieren | das könnte dich auch interessieren |
das könnte ihnen auch gefallen | empfehlungen | empfehlungen der redaktion | empfohlen | empfohlene artikel | top themen | topthemen | top artikel | aktuelle nachrichten | aktuelle meldungen | neueste artikel |
neueste nachrichten | neueste beiträge | neuste artikel | das neueste | aus dem ressort | kommentare | kommentar abgeben | kommentar schreiben | kommentar verfassen | schreiben sie einen kommentar | diskutieren sie mit |
artikel teilen | teilen | folgen sie uns | themen | schlagwörter | schlagworte | über den autor | über die autorin | zur startseite | anzeige | nicht verpassen | mehr aus diesem ressort | mehr nachrichten | mehr artikel |
articles liés | articles similaires | articles associés | articles recommandés | sur le même thème | dans la même rubrique | dans la même catégorie | à découvrir | à la une | les plus lus | le plus lu | les plus populaires | plus d'articles |
vous aimerez aussi | vous pourriez aimer | vous pourriez aussi aimer | cela pourrait vous intéresser | recommandé pour vous | nos recommandations | dernières nouvelles | dernières actualités | derniers articles | les dernières actus |
commentaires | réagir | partager | partager cet article | passer la publicité | publicité | mots clés | thèmes | sujets associés | abonnez vous | inscrivez vous à notre newsletter | contenus sponsorisés |
artículos relacionados | más noticias | más leídas | más leídos | lo más leído | lo más visto | las más leídas | los más leídos | últimas noticias | te recomendamos | recomendados | recomendaciones | más sobre este tema | más de este tema |
contenido relacionado | temas relacionados | también en | comentarios | comparte | compartir | etiquetas | temas | archivado en | publicidad | destacados | suscríbete | síguenos | no te pierdas | noticias destacadas |
artigos relacionados | notícias relacionadas | matérias relacionadas | conteúdo relacionado | relacionadas | relacionados | mais lidas | mais lidos | as mais lidas | mais vistas | últimas notícias | mais notícias | recomendado | recomendadas |
recomendado para você | comentários | compartilhe | compartilhar | publicidade | assuntos | destaques | mais sobre | continua após a publicidade |
articoli correlati | notizie correlate | correlati | contenuti correlati | altri articoli | altre notizie | i più letti | più letti | le più lette | ultime notizie | ultimi articoli | ultima ora | consigliati | raccomandati | commenti | condividi | argomenti |
in evidenza | da non perdere | dello stesso autore | sullo stesso argomento | pubblicità |
gerelateerd | gerelateerde artikelen | gerelateerd nieuws | meest gelezen | meer nieuws | meer over | aanbevolen | aanbevolen voor jou | laatste nieuws | het laatste nieuws | net binnen | reacties | deel dit artikel | onderwerpen | misschien ook interessant | advertentie |
relaterat | relaterade artiklar | relaterade nyheter | mest läst | mest lästa | senaste nytt | senaste nyheterna | rekommenderat | kommentarer | dela artikeln | ämnen | relaterte saker | relaterte artikler | mest lest | siste nytt | anbefalt | anbefalte saker | del artikkelen |
annonse | annons | annonce | relaterede artikler | mest læste | mest læst | seneste nyt | seneste nyheder | anbefalede artikler | emner | aiheesta lisää | luetuimmat | suosituimmat | uusimmat | kommentit | suosittelemme | mainos | mest lesið | tengdar fréttir | nýjustu fréttir |
najczęściej czytane | najpopularniejsze | polecane | polecamy | powiązane | powiązane artykuły | podobne artykuły | najnowsze | ostatnie wiadomości | komentarze | udostępnij | tematy | reklama |
nejčtenější | související | související články | mohlo by vás zajímat | nejnovější zprávy | doporučujeme | diskuse | komentáře | podobné články | articole similare | articole recomandate | cele mai citite | ultimele știri | kapcsolódó cikkek | ajánlott | legolvasottabb | hozzászólások | vezani članci | najčitanije |
σχετικά άρθρα | δημοφιλή | τελευταία νέα | σχόλια | самое читаемое | популярное | популярные новости | материалы по теме | новости по теме | похожие новости | похожие статьи | похожие материалы | ещё по теме | еще по теме | рекомендуем | рекомендуемое | вам может быть интересно |
главные новости | последние новости | другие новости | новости партнёров | новости партнеров | комментарии | поделиться | теги | реклама | подписывайтесь | лента новостей | самые читаемые | популярне | популярні новини | останні новини | коментарі | схожі новини |
en çok okunanlar | çok okunanlar | benzer haberler | diğer haberler | son haberler | son dakika | öne çıkanlar | öne çıkan haberler | sıradaki haber | önerilen haberler | yorumlar | etiketler | reklam | günün manşetleri |
مواضيع ذات صلة | أخبار ذات صلة | مقالات ذات صلة | الأكثر قراءة | الأكثر مشاهدة | آخر الأخبار | أخبار متعلقة | موضوعات متعلقة | التعليقات | شارك | إعلان | مطالب مرتبط | پربازدیدترین | آخرین اخبار | אולי יעניין אותך | כתבות נוספות | הנקראות ביותר | תגובות |
संबंधित खबरें | संबंधित समाचार | ताज़ा खबरें | ताजा खबरें | ट्रेंडिंग | लोकप्रिय | अन्य खबरें | berita terkait | artikel terkait | terpopuler | terkini | berita lainnya | berita populer | rekomendasi untuk anda | komentar | tin liên quan | tin cùng chuyên mục | đọc nhiều | tin mới nhất | bình luận |
関連ニュース | おすすめ | おすすめ記事 | おすすめ情報 | 人気記事 | アクセスランキング | ランキング | 最新記事 | 最新ニュース | 新着記事 | コメント | 注目記事 | よく読まれている記事 | この記事をシェア | 主要ニュース | 広告 | カテゴリーをフォローする |
相关新闻 | 相关文章 | 相关推荐 | 推荐阅读 | 热门文章 | 热门新闻 | 最新新闻 | 相關新聞 | 相關文章 | 推薦閱讀 | 熱門新聞 | 熱門文章 | 最新消息 | 评论 | 留言 | 更多新闻 | 更多新聞 | 廣告 | 猜你喜欢 |
관련 뉴스 | 관련뉴스 | 많이 본 뉴스 | 많이 본 기사 | 인기기사 | 인기 기사 | 추천기사 | 추천 기사 | 최신기사 | 최신뉴스 | 주요뉴스 | 주요기사 | 댓글 | 이 기사를 공유합니다 | 광고 | ข่าวล่าสุด | ข่าวยอดนิยม | habari zinazohusiana
"""
"""Headings of sections that are not part of the story."""

FILLERS = """
read more | keep reading | continue reading | show more | show less | load more | see more | see all | view all | expand | collapse | click to expand | advertisement | advertising | ad | sponsored | promoted |
story continues below advertisement | article continues below advertisement | story continues below | article continues below | continue reading below | continues below | scroll to continue | scroll down to continue reading |
article continues after ad | recommended stories | recommended videos | article content | end of article | share | share this | share this article | share this story | listen to this article | listen to article | print | print this article | email | save |
copy link | link copied | follow | follow us | subscribe | sign up | sign in | log in | register | comments | comment | add a comment | back to top | top | gift this article | tweet | facebook | twitter | whatsapp | linkedin | pinterest | text size | close | skip ad |
play | watch now | listen now | share full article | view comments | this video can not be played | javascript is disabled | loading | loading video | allow cookies | save for later | add to favourites | swipe | view gallery | view image | enlarge image | open image in gallery |
more on | on this page | jump to | table of contents | in this article | advertisement scroll to continue reading | remove ads | go ad free now | tired of too many ads |
weiterlesen | mehr lesen | mehr anzeigen | weniger anzeigen | anzeige | werbung | artikel anhören | artikel teilen | teilen | drucken | merken | kommentieren | zur startseite | bild vergrößern | schließen | jetzt abonnieren | newsletter abonnieren | nach oben | inhalt |
lire la suite | afficher plus | publicité | passer la publicité | la suite après la publicité | partager | imprimer | écouter cet article | commenter | s'abonner | la suite de l'article après la publicité |
seguir leyendo | leer más | ver más | publicidad | compartir | imprimir | escuchar | suscríbete | comentar | publicidade | ler mais | ver mais | compartilhar | continua após a publicidade | continua dopo la pubblicità | leggi tutto | leggi di più | pubblicità | condividi | mostra altro | ascolta |
lees verder | lees meer | advertentie | delen | läs mer | annons | annonse | annonce | dela | del | les mer | læs mere | mainos | jaa | lue lisää | czytaj dalej | czytaj więcej | reklama | udostępnij | dalsza część artykułu pod materiałem wideo | číst dále | devamını oku | reklam | paylaş | yazdır |
читать далее | читать полностью | реклама | поделиться | показать ещё | показать еще | развернуть | اقرأ المزيد | إعلان | شارك | और पढ़ें | विज्ञापन | शेयर करें | 続きを読む | もっと見る | 広告 | シェア | 共有 | 阅读更多 | 展开全文 | 广告 | 廣告 | 分享 | 더보기 | 광고 | 공유 | baca selengkapnya | bagikan | iklan | xem thêm | chia sẻ
"""
"""Controls and labels between paragraphs, as whole lines."""

CREDITS = """
image | images | photo | photos | photograph | photo by | photo credit | photo courtesy | picture | pictures | picture by | pic | credit | image credit | image source | source image | file photo | illustration | illustration by | video | watch | screenshot |
bild | bilder | foto | fotos | grafik | bildquelle | symbolbild | archivbild | photographie | crédit | crédit photo | crédits | crédits photo | foto de | imagen | fotografía | crédito | imagem | reprodução | fotografia | immagine | beeld | bild av | kuva | zdjęcie | fot | фото | иллюстрация | источник фото |
fotoğraf | görsel | الصورة | صورة | तस्वीर | फोटो | 写真 | 画像 | 图片 | 圖片 | 图 | 圖 | 사진 | ảnh
"""
"""Begin the line below a picture: `Photo: AFP`."""


class Phrases:
    """The phrases of several lists."""

    def __init__(self, *lists: str) -> None:
        self.words = frozenset(words for listed in lists for words in phrases(listed))
        self._keys = frozenset(map("".join, self.words))

    def have(self, cleaned: str) -> bool:
        """Whether a cleaned text is one of the phrases; most texts are ruled out by their letters."""
        return key_of(cleaned) in self._keys and words_in(cleaned) in self.words


def phrases(listed: str) -> frozenset[tuple[str, ...]]:
    """Return the phrases of a list, each as its words."""
    return frozenset(words for phrase in re.split(r"[|\n]", listed) if (words := words_of(phrase)))
